"""A core's own embeddings, asked from threads while the event loop serves the core."""

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from random import Random

import numpy as np
import pytest

from aios.clock import LoopClock
from aios.errors import InvalidArgument, ShuttingDown
from aios.kernel.rooms.reading import read_by
from aios.retrieval.base import Vectors
from aios.retrieval.core import CoreEmbedder
from aios.retrieval.ngrams import NgramEmbedder
from aios.testing.cores import ScriptedCore
from aios.testing.script import Script
from aios.testing.store import ScriptedStore


def core(width: int) -> ScriptedCore:
    script = Script(embedding_width=width)
    return ScriptedCore(script, clock=LoopClock(), rng=Random(1), store=ScriptedStore())


def test_threads_have_texts_embedded_by_the_core_on_its_loop() -> None:
    embedder = CoreEmbedder()

    async def main() -> None:
        read_by(core(5), embedder)
        assert (embedder.name, embedder.dimensions) == ("core:scripted/scripted-1/5", 5)
        found = await asyncio.gather(
            *(asyncio.to_thread(embedder.embed, [f"whale {n}", "sea"]) for n in range(20))
        )
        assert all(np.array_equal(vectors[1], found[0][1]) for vectors in found)
        assert np.allclose(np.linalg.norm(found[0], axis=1), 1)

    asyncio.run(main())
    with pytest.raises(ShuttingDown):
        embedder.embed(["after the end"])


def test_a_thread_that_waits_is_told_when_the_loop_ends() -> None:
    class Silent(ScriptedCore):
        async def embed(self, text: str) -> tuple[float, ...]:
            return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    embedder = CoreEmbedder()
    asked: list[Future[Vectors]] = []

    async def main() -> None:
        silent = Silent(
            Script(embedding_width=5), clock=LoopClock(), rng=Random(1), store=ScriptedStore()
        )
        read_by(silent, embedder)
        asking = threads.submit(embedder.embed, ["a"])
        while not asking.running():  # noqa: ASYNC110 - a thread tells nobody
            await asyncio.sleep(0.001)
        asked.append(asking)

    with ThreadPoolExecutor(1) as threads:
        asyncio.run(main())
        with pytest.raises(ShuttingDown):
            asked[0].result(30)


def test_a_core_that_embeds_nothing_is_refused_and_other_embedders_need_none() -> None:
    async def main() -> None:
        with pytest.raises(InvalidArgument, match="scripted declares no embedding_width"):
            read_by(core(0), CoreEmbedder())
        read_by(core(0), NgramEmbedder())

    asyncio.run(main())
