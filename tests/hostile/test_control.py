"""Where nothing confines them the programs do what they say: the judges can see."""

import sys

import pytest

from aios.bench.hostile.careless import Careless
from aios.bench.hostile.cases import case, cases
from tests.hostile.house import tried

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="programs of Linux are run")
# Needs no rights of root's, takes no time, leaves nothing for long.
CERTAIN = (
    "abstract_sockets", "by_another_path", "daemon", "deep_json", "disk_one", "execs_away",
    "fork_bomb", "hardlink_out", "holds_pipes", "import_hijack", "inherited_descriptors",
    "leaves_files", "leaves_segments", "memory_files", "memory_one", "others_environment",
    "others_folder", "own_environment", "reads_by_loader", "reads_keys", "replaces_workspace",
    "setuid_file", "signals_everybody", "signals_others", "stderr_flood", "swaps_results",
    "symlink_out", "tcp_out", "thread_bomb", "udp_out", "unix_sockets", "weird_names",
    "writes_outside",
)  # fmt: skip


@pytest.mark.timeout(240)
def test_with_no_sandbox_the_programs_breach() -> None:
    verdicts = tried(Careless(), [case(name) for name in CERTAIN])
    assert [one.program for one in verdicts if not one.breaches] == []


def test_what_would_harm_the_machine_is_never_run_without_a_sandbox() -> None:
    harmful = {one.name for one in cases() if not one.setting.is_safe}
    assert {"sets_clock", "sets_name", "next_interpreter", "terminals"} <= harmful
