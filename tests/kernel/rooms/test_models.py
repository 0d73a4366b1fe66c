"""What memory asks of the LLMs, through a kernel whose model has a small context."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from aios.errors import Cancelled, InvalidArgument
from aios.kernel import Kernel
from aios.kernel.rooms.models import SO_FAR
from aios.sdk import Client
from aios.syscalls import Generate, Message
from aios.syscalls.history import Assembled
from aios.testing.answers import tokens_of
from aios.testing.journal import InlineJournal
from aios.testing.script import Script
from tests.house import on_a_kernel

CONTEXT = 120
TURNS = [Message(role="user", content=f"fact{number} {'and so on ' * 5}") for number in range(40)]


class FactKeeper:
    """A model that repeats every fact it is told; remembers what it was asked."""

    def __init__(self) -> None:
        self.prompts: list[int] = []
        self.retold = 0

    def __call__(self, call: Generate) -> str:
        said = [word for one in call.messages for word in (one.content or "").split()]
        self.prompts.append(len(tokens_of(call)))
        self.retold += SO_FAR in (call.messages[1].content or "")
        facts = [int(word[4:]) for word in said if word[:4] == "fact"]
        return " ".join(f"fact{number}" for number in (min(facts), max(facts)))


def told(
    model: Callable[[Generate], str],
    turns: list[Message],
    main: Callable[[Kernel, Client], Awaitable[Assembled]],
    script: Script,
) -> Assembled:
    """What `main` assembles as agent travel, whose history trip has these turns."""

    async def body(kernel: Kernel) -> Assembled:
        init = Client(kernel, kernel.token)
        client = init.of(await init.spawn("travel"))
        await client.history.extend("trip", turns)
        return await main(kernel, client)

    journal = InlineJournal()
    try:
        return on_a_kernel(body, model, script=script, journal=journal)
    finally:
        journal.close()


async def _assembled(kernel: Kernel, client: Client) -> Assembled:
    return await client.history.assemble("trip", 64, summarise=True)


def test_a_conversation_longer_than_the_context_is_folded_into_one_summary() -> None:
    model = FactKeeper()
    found = told(model, TURNS, _assembled, Script(lanes=2, context_tokens=CONTEXT))
    left_out = [int(one.id) for one in found.left_out]
    assert f"fact0 fact{max(left_out)}" in (found.messages[0].content or "")
    assert len(model.prompts) > 2
    assert model.retold == len(model.prompts) - 1  # each but the first goes on from a summary
    assert max(model.prompts) <= CONTEXT - 64 // 8


def test_kv_that_holds_less_than_a_context_bounds_the_pieces_too() -> None:
    model = FactKeeper()
    told(model, TURNS, _assembled, Script(lanes=2, context_tokens=4_096, kv_tokens=192))
    assert len(model.prompts) > 2


def test_a_turn_that_is_longer_than_the_context_is_cut_between_words() -> None:
    model = FactKeeper()
    long = Message(role="user", content=" ".join(f"fact{number}" for number in range(500)))
    turns = [long, Message(role="user", content="short")]
    found = told(model, turns, _assembled, Script(lanes=2, context_tokens=CONTEXT))
    assert "fact0 fact499" in (found.messages[0].content or "")


def test_what_fits_is_summarised_in_one_call() -> None:
    model = FactKeeper()
    told(model, TURNS, _assembled, Script(lanes=2))
    assert (len(model.prompts), model.retold) == (1, 0)


def test_a_context_too_small_for_any_piece_says_so() -> None:
    script = Script(lanes=2, context_tokens=16)
    turns = [Message(role="user", content="fact1 fact2 fact3")] * 30
    with pytest.raises(InvalidArgument, match="room for a piece"):
        told(FactKeeper(), turns, _assembled, script)


def test_a_summary_is_the_agents_own_work_and_ends_with_it() -> None:
    async def killed(kernel: Kernel, client: Client) -> Assembled:
        init = Client(kernel, kernel.token)
        work = asyncio.ensure_future(_assembled(kernel, client))
        pid = (await client.whoami()).pid
        while not kernel.loops[0].live:  # noqa: ASYNC110 - virtual time costs nothing
            await asyncio.sleep(0.01)
        assert [live.job.pid for live in kernel.loops[0].live] == [pid]
        await init.kill(pid)
        return await work

    with pytest.raises(Cancelled):
        told(FactKeeper(), TURNS, killed, Script(lanes=2))
