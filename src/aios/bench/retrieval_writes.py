"""How long files take to be found, how little their writer waits for that, and finding notes."""

from collections.abc import Sequence

import msgspec

from aios.bench.corpus import Corpus, TextFile
from aios.bench.retrieval_home import (
    at_once,
    create_all,
    fall_behind,
    files_settled,
    notes_settled,
    open_home,
    pending,
)
from aios.bench.stats import percentile
from aios.clock import WallClock
from aios.sdk.client import Client

AGENT = "clerk"


class Writes(msgspec.Struct, frozen=True, kw_only=True):
    """Indexing from the first write until all is found, and one writer with and without it."""

    index_files: int
    index_s: float
    created_s: float  # of that, until the last write was acknowledged
    writes: int
    alone_p50_ms: float  # where nobody indexes
    alone_p95_ms: float
    indexing_p50_ms: float
    indexing_p95_ms: float
    pending_after: int  # files not indexed yet when the last write was acknowledged


class Notes(msgspec.Struct, frozen=True, kw_only=True):
    notes: int
    searches: int
    p50_ms: float
    p95_ms: float


async def measure_writes(corpus: Corpus, indexed: int, seed: int) -> Writes:
    """The corpus's first `indexed` files are timed until they are found; as many are written at
    once before the rest, one by one."""
    first, later = corpus.files[:indexed], corpus.files[indexed:]
    backlog, rest = later[:indexed], later[indexed:]
    clock = WallClock()
    async with open_home(seed) as home:
        agent = await home.agent(AGENT)
        began = clock.now()
        await create_all(agent, first)
        created_s = clock.now() - began
        await files_settled(agent)
        index_s = clock.now() - began
        indexing = await _timed_behind(agent, backlog, rest)
        pending_after = await pending(agent)
    async with open_home(seed, is_indexed=False) as home:
        alone = await _timed_behind(await home.agent(AGENT), backlog, rest)
    return Writes(
        index_files=indexed,
        index_s=round(index_s, 3),
        created_s=round(created_s, 3),
        writes=len(rest),
        alone_p50_ms=round(percentile(alone, 50), 3),
        alone_p95_ms=round(percentile(alone, 95), 3),
        indexing_p50_ms=round(percentile(indexing, 50), 3),
        indexing_p95_ms=round(percentile(indexing, 95), 3),
        pending_after=pending_after,
    )


async def _timed_behind(
    agent: Client, backlog: Sequence[TextFile], files: Sequence[TextFile]
) -> list[float]:
    """Milliseconds of each write, one after the other, with a backlog that waits to be indexed."""
    await fall_behind(agent, backlog)
    clock, took = WallClock(), []
    for file in files:
        began = clock.now()
        await agent.files.create(file.path, file.text)
        took.append(1e3 * (clock.now() - began))
    return took


async def measure_notes(corpus: Corpus, count: int, seed: int) -> Notes:
    """One agent has `count` notes, each a line or two of the corpus, and looks for some."""
    clock, took = WallClock(), []
    lines = [line for file in corpus.files for line in file.text.splitlines() if len(line) > 40]
    async with open_home(seed) as home:
        agent = await home.agent(AGENT)

        async def add(line: str) -> None:
            await agent.notes.add(line)

        await at_once(lines[:count], add)
        await notes_settled(agent)
        for question in corpus.questions:
            began = clock.now()
            await agent.notes.search(question.text)
            took.append(1e3 * (clock.now() - began))
    return Notes(
        notes=min(count, len(lines)),
        searches=len(took),
        p50_ms=round(percentile(took, 50), 3),
        p95_ms=round(percentile(took, 95), 3),
    )
