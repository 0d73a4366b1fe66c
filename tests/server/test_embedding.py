"""Vectors over HTTP come from the embedder that the kernel goes by; too many wait for none."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from threading import Event

import numpy as np
import openai
import pytest

from aios.access.policy import Line, Policy
from aios.errors import Busy, CoreFailed
from aios.kernel.rooms.embedding import THREADS, WAITING_MAX, Embedding
from aios.retrieval.base import Vectors
from aios.retrieval.ngrams import NgramEmbedder
from tests.server.house import house, lived


class Lengths:
    """Embeds a text as its length, once it may."""

    name = "lengths"
    dimensions = 1

    def __init__(self) -> None:
        self.may = Event()
        self.embedded: list[str] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        assert self.may.wait(10)
        self.embedded += texts
        return np.array([[len(text)] for text in texts], np.float32)


class Broken(Lengths):
    def embed(self, texts: Sequence[str]) -> Vectors:
        raise CoreFailed("no vectors today")


def test_the_embedder_answers_openais_client() -> None:
    async def main() -> None:
        with closing(Embedding(NgramEmbedder())) as embed:
            async with house(embed=embed) as home:
                speaker = openai.AsyncOpenAI(base_url=f"{home.url}/v1", api_key=home.token)
                async with speaker:
                    reply = await speaker.embeddings.create(model="m", input=["a whale", "b"])
        found = np.array([one.embedding for one in reply.data])
        assert np.allclose(found, NgramEmbedder().embed(["a whale", "b"]), atol=1e-6)

    lived(main)


def test_an_embedding_passes_the_gate_as_any_call() -> None:
    async def main() -> None:
        with closing(Embedding(NgramEmbedder())) as embed:
            async with house(embed=embed) as home:
                line = Line("no vectors", verbs=("llm.embed",))
                home.kernel.guard.reload(Policy(deny=(line,)))
                body = {"model": "m", "input": "x"}
                async with home.http.post("/v1/embeddings", json=body) as told:
                    assert told.status == 403
                    assert "no vectors" in await told.text()

    lived(main)


def test_too_many_requests_are_refused_and_those_that_left_make_room() -> None:
    async def main() -> None:
        lengths = Lengths()
        with closing(Embedding(lengths)) as embed:
            waiting = [asyncio.ensure_future(embed(["x" * n])) for n in range(WAITING_MAX)]
            await asyncio.sleep(0)
            with pytest.raises(Busy, match="wait already"):
                await embed(["y"])
            for gone in waiting[THREADS:]:
                gone.cancel()
            await asyncio.gather(*waiting[THREADS:], return_exceptions=True)
            later = asyncio.ensure_future(embed(["yy"]))
            lengths.may.set()
            assert await later == [[2.0]]
            assert await asyncio.gather(*waiting[:THREADS]) == [[[0.0]], [[1.0]]]
        assert sorted(lengths.embedded) == ["", "x", "yy"]

    asyncio.run(main())


def test_an_embedder_that_fails_is_told_as_its_typed_error() -> None:
    async def main() -> None:
        with closing(Embedding(Broken())) as embed:
            async with house(embed=embed) as home:
                body = {"model": "m", "input": "x"}
                async with home.http.post("/v1/embeddings", json=body) as told:
                    assert told.status == 502
                    assert "no vectors today" in await told.text()

    lived(main)
