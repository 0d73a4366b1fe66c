"""A program that changes files until it is killed, and says what was acknowledged."""

import asyncio
import sys
from pathlib import Path
from random import Random

from aios.clock import LoopClock
from aios.journal.base import Work
from aios.journal.journal import open_journal
from aios.storage import Ground, Storage
from aios.syscalls import file
from tests.storage.rooms import WordSearcher


def content(number: int) -> bytes:
    """What change `number` writes: long enough to be torn."""
    return (b"%d," % number) * 4_000


def steps(number: int) -> tuple[file.Step, ...]:
    """Both files, together: they are never to be seen apart."""
    return (
        file.WriteFile(path="pair/left", data=content(number)),
        file.WriteFile(path="pair/right", data=content(number)),
    )


async def main(home: Path, start: int) -> None:
    journal = open_journal(home / "journal", is_durable=True)
    ground = Ground(folder=home / "files", clock=LoopClock(), random=Random(start))
    storage = Storage(journal, WordSearcher(), ground)
    await storage.open()
    for number in range(start, start + 100_000):
        call = file.Transaction(steps=steps(number))
        await storage.handlers[file.Transaction]("ada", call, Work(journal))
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
