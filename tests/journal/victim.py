"""A child that writes steps until it is killed, and tells its parent of each that is durable."""

import asyncio
import sys
from pathlib import Path

from aios.journal.journal import FileJournal
from tests.journal.house import contents, journal_in, step, steps_done


async def _write(journal: FileJournal, number: int) -> None:
    await journal.post(step(number))
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


async def main(folder: Path) -> None:
    """Eight posts under way at any time."""
    journal = journal_in(folder)
    number = steps_done(await contents(journal))
    under_way: set[asyncio.Task[None]] = set()
    while True:
        while len(under_way) < 8:
            number += 1
            under_way.add(asyncio.create_task(_write(journal, number)))
        done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
