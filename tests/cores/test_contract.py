"""A core over an engine process keeps the contract: with an engine that computes nothing."""

import os
import signal
from pathlib import Path

import pytest

from aios.cores.base import Core
from aios.cores.process import Patience, ProcessCore
from tests.cores.core_contract import CoreContract
from tests.scripted_engine import spec_of

ROOT = Path(__file__).parents[2]
PATIENCE = Patience(start_s=60, silent_s=60, close_s=20, backoff_s=0.001)


class TestProcessCore(CoreContract):
    @pytest.fixture(autouse=True)
    def folders(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'src'}{os.pathsep}{ROOT}")
        self.root = tmp_path

    async def open_core(self) -> Core:
        return await ProcessCore.launch(spec_of(self.root, step_s=0.001), PATIENCE)

    def crash(self, core: Core) -> None:
        assert isinstance(core, ProcessCore)
        os.kill(core.pid, signal.SIGKILL)

    def snapshots(self) -> int:
        return len(list(self.root.rglob("*.snap")))
