"""`kill -9` at any moment: what the clients were told is there."""

import random
import subprocess
import sys
from pathlib import Path

from aios.journal.check import check
from tests.journal.house import contents, oracle, steps_done, with_journal

KILLS = 6
LINES_MAX = 300  # acknowledgements before a kill


def test_killed_writer_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(7)
    for _ in range(KILLS):
        acknowledged = _kill_after(chance.randint(1, LINES_MAX), tmp_path / "home")
        state = with_journal(tmp_path / "home", contents)
        assert steps_done(state) >= acknowledged
        assert check(tmp_path / "home") == []

    expected = oracle(steps_done(state))[-1]
    assert [row[0] for row in state[0]] == [row[0] for row in expected[0]]
    assert state == expected


def _kill_after(lines: int, folder: Path) -> int:
    """Let a child write until it has acknowledged so much; the last step it acknowledged."""
    command = [sys.executable, "-m", "tests.journal.victim", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for _ in range(lines):
            child.stdout.readline()
        child.kill()
        rest = child.stdout.read().split("\n")[:-1]  # What was on its way counts as told.
    return max((int(line) for line in rest if line), default=lines)
