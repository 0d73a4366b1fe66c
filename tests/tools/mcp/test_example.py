"""The example of a server that two agents use: run as it stands."""

import asyncio
import importlib.util
import random
from pathlib import Path

import pytest

from aios.clock import LoopClock
from aios.kernel.environment import Environment
from aios.kernel.hands import open_hands
from aios.kernel.kernel import Kernel
from aios.kernel.tools.sources import servers_of
from aios.scheduler import make
from aios.testing.cores import ScriptedCore
from aios.testing.script import Script
from aios.testing.store import ScriptedStore

EXAMPLE = Path(__file__).parent.parent.parent.parent / "examples" / "mcp_two_agents.py"


def test_two_agents_share_one_server(capsys: pytest.CaptureFixture[str]) -> None:
    spec = importlib.util.spec_from_file_location("example_mcp", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)

    async def body() -> None:
        clock, rng = LoopClock(), random.Random(1)
        core = ScriptedCore(Script(), clock=clock, rng=rng, store=ScriptedStore())
        async with open_hands() as hands:
            kernel = Kernel(
                [core],
                lambda: make("rr"),
                environment=Environment(clock=clock, random=rng),
                tools=servers_of([], hands.sandbox),
            )
            async with kernel:
                await example.main(kernel)

    asyncio.run(body())
    assert capsys.readouterr().out.splitlines() == [
        "bread is on the list says mcp:shop",
        "butter is on the list says mcp:shop",
        "the list: bread, butter",
    ]
