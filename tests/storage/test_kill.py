"""kill -9 at any moment: what was acknowledged is there, whole, and both of a pair or none."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

from aios.kernel.cabinet import open_cabinet
from aios.retrieval.ngrams import NgramEmbedder
from aios.syscalls import file
from tests.storage.killed import content

KILLS = 6
ROOT = Path(__file__).parent.parent.parent


def killed_after(home: Path, start: int, acknowledged: int, spins: int) -> int:
    """Let the program run that far and a bit, kill it; the last number it acknowledged."""
    command = [sys.executable, "-m", "tests.storage.killed", str(home), str(start)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        last = start - 1
        for _ in range(acknowledged):
            last = int(program.stdout.readline())
        for _ in range(spins):
            pass  # A moment that is somewhere in the next change.
        program.send_signal(signal.SIGKILL)
        rest = program.stdout.read().split()
    return int(rest[-1]) if rest else last


async def pair(home: Path) -> tuple[bytes, bytes]:
    async with open_cabinet(home, NgramEmbedder()) as cabinet:
        left = await cabinet.call("ada", file.ReadFile(path="pair/left"))
        right = await cabinet.call("ada", file.ReadFile(path="pair/right"))
        versions = (await cabinet.call("ada", file.Versions(path="pair/left"))).versions
        assert {one.by for one in versions} == {"ada"}, "nobody was there from outside"
    return left.data, right.data


def test_a_killed_kernel_loses_nothing_acknowledged_and_tears_no_pair(tmp_path: Path) -> None:
    random = Random(7)
    start = 0
    for _ in range(KILLS):
        last = killed_after(tmp_path, start, random.randrange(1, 5), random.randrange(300_000))
        left, right = asyncio.run(pair(tmp_path))
        found = int(left.split(b",")[0])
        assert last <= found <= last + 1
        assert left == right == content(found)
        folder = tmp_path / "files/ada/pair"
        assert (folder / "left").read_bytes() == (folder / "right").read_bytes() == left
        start = found + 1
