"""Vectors for agents: an embedder's work, beside the event loop and bounded."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore

from aios.errors import Busy
from aios.journal.base import Work
from aios.retrieval.base import Embedder
from aios.syscalls.llm import Embed, Embeddings

THREADS = 2
WAITING_MAX = 64  # requests under way and waiting


@contextlib.asynccontextmanager
async def embedding_of(embedder: Embedder) -> AsyncIterator["Embedding"]:
    """An embedder for agents, as long as the block lasts."""
    with contextlib.closing(Embedding(embedder)) as embedding:
        yield embedding


class Embedding:
    """Texts to vectors; what is under way when it is closed has no reader any more."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="embed")
        self._room = BoundedSemaphore(WAITING_MAX)

    async def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text. Raises `Busy` where too many wait, or what the embedder raises."""
        if not self._room.acquire(blocking=False):
            raise Busy(f"{WAITING_MAX} requests for embeddings wait already", retry_after_s=1.0)
        work = self._threads.submit(self._embed, texts)
        work.add_done_callback(lambda _: self._room.release())
        return await asyncio.wrap_future(work)

    async def embed(self, agent: str, call: Embed, work: Work) -> Embeddings:
        """The handler of `llm.embed`."""
        return Embeddings(tuple(map(tuple, await self(call.texts))))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _embed(self, texts: Sequence[str]) -> list[list[float]]:
        found: list[list[float]] = self._embedder.embed(texts).tolist()
        return found
