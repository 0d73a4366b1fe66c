"""Search: what is handed to the index, what is asked of it, and what a hit looks like."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from aios.errors import NotFound
from aios.journal import statements as sql
from aios.storage import FileLimits
from aios.storage.texts import as_text, snippet
from aios.syscalls import file
from tests.storage.rooms import Desk


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


async def indexed(desk: Desk) -> None:
    """What the indexer does: take what changed, ask for the documents, let go of the rest."""
    rows = await desk.journal.read(sql.OUTBOX_OLDEST, "file", 1_000)
    ids = [str(id) for _, id in rows]
    for id in ids:
        desk.searcher.texts.pop(id, None)
    for document in await desk.storage.documents(ids):
        desk.searcher.texts[document.id] = f"{document.title} {document.text}"


async def found(desk: Desk, call: file.SearchFiles, agent: str = "ada") -> list[str]:
    return [one.file.path for one in (await desk.call(call, agent)).files]


def test_a_change_and_its_row_for_the_index_are_one_commit(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        await desk.call(file.Create(path="a/f", data=b"whale"))
        await indexed(desk)
        assert await found(desk, file.SearchFiles(query="whale")) == ["a/f"]
        await desk.call(file.Move(path="a", to="b"))
        await desk.call(file.WriteFile(path="b/f", data=b"shark"))
        await indexed(desk)
        assert await found(desk, file.SearchFiles(query="whale")) == []
        assert await found(desk, file.SearchFiles(query="b/f")) == ["b/f"]
        await desk.call(file.Delete(path="b"))
        assert await found(desk, file.SearchFiles(query="shark")) == []
        await indexed(desk)
        assert desk.searcher.texts == {}

    run(main())


def test_only_the_callers_files_below_a_path_and_of_a_time_are_asked_for(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        for path in ("a/one", "a/two", "b/three"):
            await desk.call(file.Create(path=path, data=b"whale"))
        await desk.call(file.Create(path="a/one", data=b"whale"), "bob")
        await indexed(desk)
        assert await found(desk, file.SearchFiles(query="whale"), "eve") == []
        assert await found(desk, file.SearchFiles(query="whale", path="b")) == ["b/three"]
        times = {one: (await desk.call(file.Stat(path=one))).modified for one in ("a/two",)}
        since = file.SearchFiles(query="whale", since=times["a/two"])
        assert sorted(await found(desk, since)) == ["a/two", "b/three"]
        until = file.SearchFiles(query="whale", path="a", until=times["a/two"])
        assert await found(desk, until) == ["a/one"]
        assert await found(desk, file.SearchFiles(query="whale", path="a/two")) == ["a/two"]
        with pytest.raises(NotFound):
            await desk.call(file.SearchFiles(query="whale", path="nowhere"))
        assert {query.scopes for query in desk.searcher.queries} == {("ada",), ("eve",)}

    run(main())


def test_binaries_and_long_texts_are_found_by_name_only(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path, limits=FileLimits(text_bytes_max=20))
        await desk.call(file.Create(path="image", data=b"whale\0"))
        await desk.call(file.Create(path="book", data=b"whale " * 9))
        await desk.call(file.Create(path="latin", data=b"whale \xe9"))
        await indexed(desk)
        assert sorted(desk.searcher.texts.values()) == ["book ", "image ", "latin "]

    run(main())


def test_a_snippet_is_the_lines_that_have_most_of_the_words() -> None:
    text = "intro\n\n" + "filler\n" * 50 + "The white whale\nhunted by Ahab\nat sea\n" + "end\n" * 9
    assert snippet(text, "ahab whales white") == "The white whale\nhunted by Ahab\nat sea"
    assert snippet(text, "nothing") == "intro\nfiller\nfiller"
    assert snippet("", "x") == ""
    long = snippet("a " * 5_000 + "needle" + " b" * 5_000, "needle")
    assert "needle" in long
    assert len(long) <= 400


def test_text_is_utf8_without_nul() -> None:
    assert as_text("é😀".encode()) == "é😀"
    assert as_text(b"\xff") is None
    assert as_text(b"a\0b") is None
