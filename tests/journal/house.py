"""A workload whose every step touches several rows, and what a journal holds after each of them."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from aios.journal.base import Change, Journal, Row, Statement
from aios.journal.disk import Disk
from aios.journal.journal import FileJournal, open_journal
from aios.journal.statements import META_PUT, OUTBOX_ADD
from aios.testing.journal import InlineJournal

META_ALL = Statement(
    "meta_all", "SELECT name, value FROM meta WHERE name != 'commits' ORDER BY name"
)
OUTBOX_ALL = Statement("outbox_all", "SELECT place, kind, id FROM index_outbox ORDER BY place")
META_DELETE = Statement("meta_delete", "DELETE FROM meta WHERE name = ?")
OUTBOX_OF = Statement("outbox_of", "DELETE FROM index_outbox WHERE kind = ? AND id = ?")

RESERVE_BYTES = 64 << 10
T = TypeVar("T")


def step(number: int) -> list[Change]:
    """Changes of one post; `last` tells which was the last one that was done."""
    chance = random.Random(number)
    value = f"{number}:" + "x" * chance.choice([10, 100, 1_000, 6_000])
    changes = [
        Change(META_PUT, ("last", number)),
        Change(META_PUT, (f"value{chance.randrange(40)}", value)),
        Change(OUTBOX_ADD, ("note", str(chance.randrange(30)))),
    ]
    if number % 3 == 0:
        changes.append(Change(META_DELETE, (f"value{chance.randrange(40)}",)))
    if number % 5 == 0:
        changes.append(Change(OUTBOX_OF, ("note", str(chance.randrange(30)))))
    return changes


async def contents(journal: Journal) -> tuple[list[Row], list[Row]]:
    """All that the workload wrote."""
    return await journal.read(META_ALL), await journal.read(OUTBOX_ALL)


def oracle(steps: int) -> list[tuple[list[Row], list[Row]]]:
    """What a journal holds after so many steps, from none on."""

    async def all_of_it() -> list[tuple[list[Row], list[Row]]]:
        journal = InlineJournal()
        states = [await contents(journal)]
        for number in range(1, steps + 1):
            await journal.post(step(number))
            states.append(await contents(journal))
        return states

    return asyncio.run(all_of_it())


def steps_done(state: tuple[list[Row], list[Row]]) -> int:
    """The number of the last step that is in there."""
    return next((int(value or 0) for name, value in state[0] if name == "last"), 0)


def journal_in(folder: Path, disk: Disk | None = None, log_pages_max: int = 50) -> FileJournal:
    """A journal with a small reserve, and a log that is brought in often."""
    return open_journal(
        folder,
        disk=disk,
        is_durable=disk is not None,  # Where no platter plays the disk, the power will not go.
        reserve_bytes=RESERVE_BYTES,
        log_pages_max=log_pages_max,
    )


def with_journal(
    folder: Path, use: Callable[[FileJournal], Coroutine[Any, Any, T]], disk: Disk | None = None
) -> T:
    """Open it, use it, close it."""

    async def whole() -> T:
        journal = journal_in(folder, disk)
        try:
            return await use(journal)
        finally:
            await journal.close()

    return asyncio.run(whole())


def put(name: str, value: str | int = 1) -> Sequence[Change]:
    """A post of one row."""
    return [Change(META_PUT, (name, value))]
