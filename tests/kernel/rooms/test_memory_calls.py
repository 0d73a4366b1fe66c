"""The memory rooms behind a kernel: an agent's blocks, histories and notes outlive it."""

from collections.abc import Awaitable, Callable
from random import Random

import pytest

from aios.errors import NotFound
from aios.kernel.environment import Environment
from aios.kernel.kernel import Kernel
from aios.kernel.rooms.memory_calls import memory_handlers
from aios.memory.assembler import Assembler
from aios.memory.blocks import BlockRoom
from aios.memory.cache import OVERHEAD, Cache
from aios.memory.eviction import Adaptive, Lru, LruK, Rule
from aios.memory.histories import HistoryRoom
from aios.memory.notes import NoteRoom
from aios.scheduler import make
from aios.sdk import Client
from aios.testing.cores import ScriptedCore
from aios.testing.journal import InlineJournal
from aios.testing.loop import VirtualClock, run
from aios.testing.script import NO_FAULTS, Script
from aios.testing.store import ScriptedStore
from tests.memory.fakes import WordIndex, WordModels


def life(
    journal: InlineJournal,
    boot: int,
    body: Callable[[Client], Awaitable[None]],
    *,
    cache: Cache | None = None,
) -> None:
    """One kernel over the journal, from its boot to its end; `body` speaks as agent travel."""

    async def main(_: Random) -> None:
        clock = VirtualClock()
        notes = NoteRoom(journal, WordIndex(), clock, Random(1))
        kept = Cache(Adaptive(), ram_bytes=1 << 20) if cache is None else cache
        blocks = BlockRoom(journal, kept)
        rooms = memory_handlers(blocks, HistoryRoom(journal, Assembler(WordModels(), notes)), notes)
        core = ScriptedCore(
            Script(), clock=clock, rng=Random(1), store=ScriptedStore(), faults=NO_FAULTS
        )
        environment = Environment(clock=clock, random=Random(boot), journal=journal)
        async with Kernel(
            [core], lambda: make("rr"), rooms=rooms, left=blocks.left, environment=environment
        ) as kernel:
            init = Client(kernel, kernel.token)
            await body(init.of(await init.spawn("travel")))

    run(main)


def test_what_an_agent_keeps_outlives_its_kernel_and_is_its_own() -> None:
    journal = InlineJournal()

    async def before(client: Client) -> None:
        await client.memory.write("plan", "Rome")
        await client.history.extend("trip", "Where to?")
        await client.notes.add("likes Rome", tags=["taste"])

    async def after(client: Client) -> None:
        assert await client.memory.text("plan") == "Rome"
        assert (await client.history.messages("trip"))[0].content == "Where to?"
        assert (await client.notes.search(tags=["taste"])).notes[0].note.text == "likes Rome"
        assembled = await client.history.assemble("trip", 100)
        assert assembled.tokens == 3
        child = client.of(await client.spawn("flights"))
        with pytest.raises(NotFound):
            await child.memory.text("plan", owner="travel")

    life(journal, 1, before)
    life(journal, 2, after)
    journal.close()


def test_a_call_with_a_key_has_its_effect_once() -> None:
    journal = InlineJournal()

    async def twice(client: Client) -> None:
        first = await client.memory.append("log", "x", key="k")
        assert await client.memory.append("log", "x", key="k") == first
        assert await client.memory.text("log") == "x"

    life(journal, 1, twice)
    journal.close()


BLOCK = "x" * 1_000


async def tiers(client: Client) -> dict[str, str]:
    return {block.name: block.tier for block in (await client.memory.list()).blocks}


def two_blocks(rule: Rule) -> Cache:
    return Cache(rule, ram_bytes=2 * (len(BLOCK) + OVERHEAD), high=1.0)


@pytest.mark.parametrize("rule", [Lru, LruK, Adaptive])
def test_what_an_ended_agent_kept_is_the_first_to_leave_ram(rule: Callable[[], Rule]) -> None:
    async def body(client: Client) -> None:
        other = client.of(await client.spawn("other"))
        await client.memory.write("old", BLOCK)
        await other.memory.write("new", BLOCK)
        await other.exit()
        await client.memory.write("newest", BLOCK)
        assert await tiers(client) == {"newest": "ram", "old": "ram"}
        again = client.of(await client.spawn("other"))
        assert await tiers(again) == {"new": "disk"}
        assert await again.memory.text("new") == BLOCK

    life(InlineJournal(), 1, body, cache=two_blocks(rule()))


def test_blocks_stay_while_a_process_of_their_agent_lives() -> None:
    async def body(client: Client) -> None:
        other, twin = [client.of(await client.spawn("other")) for _ in range(2)]
        await client.memory.write("old", BLOCK)
        await other.memory.write("new", BLOCK)
        await other.exit()
        await client.memory.write("newest", BLOCK)
        assert await tiers(twin) == {"new": "ram"}
        assert await tiers(client) == {"newest": "ram", "old": "disk"}

    life(InlineJournal(), 1, body, cache=two_blocks(Lru()))


def test_blocks_stay_that_another_agent_may_use() -> None:
    async def body(client: Client) -> None:
        other = client.of(await client.spawn("other"))
        await client.memory.write("old", BLOCK)
        await other.memory.write("new", BLOCK)
        await other.memory.share("new", "travel")
        await other.exit()
        await client.memory.write("newest", BLOCK)
        assert await tiers(client) == {"new": "ram", "newest": "ram", "old": "disk"}

    life(InlineJournal(), 1, body, cache=two_blocks(Lru()))
