"""An index in threads."""

import asyncio
import threading
from functools import partial
from pathlib import Path

import pytest

from aios.errors import Busy
from aios.retrieval.base import Query
from aios.retrieval.index import HybridIndex
from aios.retrieval.ngrams import NgramEmbedder
from aios.retrieval.worker import SEARCHES_MAX, ThreadedIndex
from aios.syscalls.note import SearchMode
from tests.retrieval.documents import Meanings, document

VIOLIN = Query(text="violin", scopes=("anna",), limit=9)


class Stuck(Meanings):
    """Embeds once it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()
        self.is_asked = threading.Event()

    def embed(self, texts):  # type: ignore[no-untyped-def]  # as above it
        self.is_asked.set()
        assert self.released.wait(10)
        return super().embed(texts)


def test_the_loop_goes_on_and_searches_by_words_answer_while_an_embedder_works(
    tmp_path: Path,
) -> None:
    async def program() -> None:
        embedder = Stuck()
        waited = ThreadedIndex(HybridIndex(tmp_path, embedder))
        writing = asyncio.ensure_future(
            waited.write(partial(waited.index.put, [document("a", "violin")]))
        )
        assert await asyncio.to_thread(embedder.is_asked.wait, 10)
        query = Query(text="violin", scopes=("anna",), limit=9, mode=SearchMode.KEYWORD)
        hits = await asyncio.wait_for(waited.search(query), 10)
        assert [hit.id for hit in hits] == ["a"]
        assert not writing.done()
        embedder.released.set()
        await writing
        await waited.close()

    asyncio.run(program())


def test_too_many_searches_are_busy_and_the_others_are_answered(tmp_path: Path) -> None:
    async def program() -> None:
        waited = ThreadedIndex(HybridIndex(tmp_path, NgramEmbedder(16)))
        await waited.write(partial(waited.index.put, [document("a", "violin")]))
        found = await asyncio.gather(
            *(waited.search(VIOLIN) for _ in range(SEARCHES_MAX + 5)), return_exceptions=True
        )
        assert sum(isinstance(one, Busy) for one in found) == 5
        assert all(len(one) == 1 for one in found if isinstance(one, list))
        await waited.close()

    asyncio.run(program())


def test_a_write_that_fails_tells_its_caller(tmp_path: Path) -> None:
    async def program() -> None:
        waited = ThreadedIndex(HybridIndex(tmp_path, NgramEmbedder(16)))
        with pytest.raises(ZeroDivisionError):
            await waited.write(lambda: 1 // 0)
        await waited.close()

    asyncio.run(program())
