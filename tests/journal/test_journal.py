"""What rooms rely on, held by the journal on disk and by the one in memory alike."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from aios.errors import Conflict, NotFound, ShuttingDown, WrongState
from aios.journal.base import Change, Keep, Statement
from aios.journal.connection import connect
from aios.journal.database import migrate, version
from aios.journal.journal import FileJournal
from aios.journal.migrations import MIGRATIONS
from aios.journal.statements import (
    META_GET,
    META_PUT,
    OUTBOX_ADD,
    OUTBOX_DONE,
    OUTBOX_OLDEST,
    named,
)
from aios.testing.journal import InlineJournal
from tests.journal.house import contents, put, with_journal

AnyJournal = FileJournal | InlineJournal
Use = Callable[[AnyJournal], Coroutine[Any, Any, None]]
Run = Callable[[Use], None]

INSERT = Statement("insert", "INSERT INTO meta (name, value) VALUES (?, ?)")


@pytest.fixture(params=["file", "inline"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Run:
    """Use a journal of either kind."""
    if request.param == "file":
        return lambda use: with_journal(tmp_path / "home", use)
    return lambda use: asyncio.run(use(InlineJournal()))


def test_what_was_posted_is_read(run: Run) -> None:
    async def scenario(journal: AnyJournal) -> None:
        for number in range(50):
            await journal.post(put("a", number))
            assert await journal.read(META_GET, "a") == [(number,)]

    run(scenario)


def test_a_post_that_cannot_be_done_fails_whole_and_alone(run: Run) -> None:
    async def scenario(journal: AnyJournal) -> None:
        await journal.post([Change(INSERT, ("taken", 1))])
        posts = [
            journal.post(put("before")),
            journal.post([*put("half"), Change(INSERT, ("taken", 2))]),
            journal.post(put("after")),
        ]
        outcomes = await asyncio.gather(*posts, return_exceptions=True)

        assert [type(outcome) for outcome in outcomes] == [type(None), Conflict, type(None)]
        assert await contents(journal) == ([("after", 1), ("before", 1), ("taken", 1)], [])

    run(scenario)


def test_posts_are_applied_in_order_whether_anybody_awaits_or_not(run: Run) -> None:
    async def scenario(journal: AnyJournal) -> None:
        for number in range(500):
            last = journal.post(put("a", number))
        await last
        assert await journal.read(META_GET, "a") == [(499,)]

    run(scenario)


def test_a_post_is_done_though_its_waiting_was_cancelled(run: Run) -> None:
    async def scenario(journal: AnyJournal) -> None:
        async def wait() -> None:
            await journal.post(put("a"))

        task = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await journal.post(put("b"))
        assert await contents(journal) == ([("a", 1), ("b", 1)], [])

    run(scenario)


def test_a_thing_that_changed_while_it_was_indexed_stays_in_the_outbox(run: Run) -> None:
    async def scenario(journal: AnyJournal) -> None:
        await journal.post([Change(OUTBOX_ADD, ("note", "1")), Change(OUTBOX_ADD, ("file", "1"))])
        taken = await journal.read(OUTBOX_OLDEST, "file", 10)
        await journal.post([Change(OUTBOX_ADD, ("file", "1"))])
        await journal.post([Change(OUTBOX_DONE, (place,)) for place, _ in taken])

        assert [row[1:] for row in await journal.read(OUTBOX_OLDEST, "file", 10)] == [("1",)]

    run(scenario)


def test_blobs_are_given_back_and_swept(run: Run) -> None:
    async def scenario(journal: AnyJournal) -> None:
        kept, gone = await journal.blobs.put(b"kept"), await journal.blobs.put(b"gone")
        assert await journal.blobs.put(b"kept") == kept

        assert await journal.blobs.sweep(_named(kept)) == 1
        assert await journal.blobs.get(kept) == b"kept"
        with pytest.raises(NotFound):
            await journal.blobs.get(gone)
        with pytest.raises(NotFound):
            await journal.blobs.get("../../witness")

    run(scenario)


def test_a_blob_that_is_put_while_a_sweep_asks_what_to_keep_stays(run: Run) -> None:
    async def scenario(journal: AnyJournal) -> None:
        again = await journal.blobs.put(b"there already")

        async def keep() -> list[str]:
            await journal.blobs.put(b"there already")
            await journal.blobs.put(b"new")
            return []

        assert await journal.blobs.sweep(keep) == 0
        assert await journal.blobs.get(again) == b"there already"
        assert await journal.blobs.sweep(_named()) == 2

    run(scenario)


def test_a_programmers_error_is_told_and_harms_nobody(run: Run) -> None:
    async def scenario(journal: AnyJournal) -> None:
        with pytest.raises(Exception, match="no such table"):
            await journal.post([Change(Statement("wrong", "DELETE FROM elsewhere"), ())])
        with pytest.raises(Exception, match="bindings"):
            await journal.post([Change(META_PUT, ("too few",))])
        await journal.post(put("a"))
        assert await contents(journal) == ([("a", 1)], [])

    run(scenario)


def test_posts_that_wait_together_are_committed_together(tmp_path: Path) -> None:
    async def scenario(journal: FileJournal) -> None:
        await asyncio.gather(*(journal.post(put(f"{number}")) for number in range(1_000)))
        ((commits,),) = await journal.read(META_GET, "commits")
        assert isinstance(commits, int)
        assert commits < 20

    with_journal(tmp_path, scenario)


def test_reads_wait_for_no_commit(tmp_path: Path) -> None:
    async def scenario(journal: FileJournal) -> None:
        await journal.post(put("a"))
        last = asyncio.ensure_future(_wait(journal.post(put("b", "x" * 1_000_000))))
        rows = await asyncio.gather(*(journal.read(META_GET, "a") for _ in range(1_000)))
        assert rows == [[(1,)]] * 1_000
        await last

    with_journal(tmp_path, scenario)


def test_closing_does_what_was_posted_and_takes_no_more(tmp_path: Path) -> None:
    async def scenario(journal: FileJournal) -> None:
        for number in range(100):
            last = journal.post(put("a", number))
        await journal.close()
        await last
        with pytest.raises(ShuttingDown):
            journal.post(put("a"))

    with_journal(tmp_path, scenario)
    assert not (tmp_path / "journal.db-wal").stat().st_size
    assert with_journal(tmp_path, contents) == ([("a", 99)], [])


def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    with_journal(tmp_path, contents)
    connection = connect(tmp_path / "journal.db")
    connection.pragma("user_version", len(MIGRATIONS) + 1)
    connection.close()

    with pytest.raises(WrongState, match="newer AIOS"):
        with_journal(tmp_path, contents)


def test_migrations_are_done_from_where_the_database_is_and_all_or_none() -> None:
    connection = connect(None)
    first, second = ("CREATE TABLE a (x)",), ("CREATE TABLE b (x)", "CREATE TABLE c (x)")

    migrate(connection, "test", [first])
    with pytest.raises(Exception, match="syntax"):
        migrate(connection, "test", [first, (*second, "CREATE nonsense")])
    assert version(connection) == 1
    migrate(connection, "test", [first, second])

    assert version(connection) == 2
    tables = connection.execute("SELECT name FROM sqlite_schema ORDER BY name").fetchall()
    assert tables == [("a",), ("b",), ("c",)]


def test_every_statement_is_named_after_its_constant_and_fits_the_tables() -> None:
    connection = connect(None)
    migrate(connection, "test")

    for constant, statement in named().items():
        assert statement.name == constant.lower()
        numbers = [int(one) for one in re.findall(r"\?(\d+)", statement.sql)]
        values = (None,) * (max(numbers) if numbers else statement.sql.count("?"))
        connection.execute(f"EXPLAIN {statement.sql}", values).fetchall()


def _named(*blobs: str) -> Keep:
    async def keep() -> tuple[str, ...]:
        return blobs

    return keep


async def _wait(awaitable: Any) -> None:
    await awaitable
