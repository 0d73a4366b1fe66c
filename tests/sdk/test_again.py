"""A stream that breaks off and goes on: nothing twice, nothing left out."""

import asyncio
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios.access.acts import ACTS
from aios.access.base import Effect
from aios.errors import OutcomeUnknown, ShuttingDown
from aios.sdk.again import Attempts, Continued, Lost, Patience
from aios.syscalls import (
    Attempt,
    Cancel,
    Choice,
    Completion,
    Delta,
    Generate,
    Message,
    Report,
    Send,
    Stream,
    Timing,
    Usage,
    WhoAmI,
)
from aios.syscalls.approval import AskHuman
from aios.syscalls.table import REPEATABLE

TEXTS = ("once upon a time", "völlig anders")


def completion(texts: tuple[str, ...] = TEXTS) -> Completion:
    return Completion(
        call_id="c", model="m", seed=1, exact=True,
        choices=tuple(
            Choice(
                index=at, message=Message(role="assistant", content=text), finish_reason="stop",
                token_ids=tuple(map(ord, text)),
            )
            for at, text in enumerate(texts)
        ),
        usage=Usage(prompt_tokens=1, completion_tokens=1),
        timing=Timing(wait_s=0, run_s=0, total_s=0, switches=0),
    )  # fmt: skip


def deltas(rng: Random) -> list[Delta]:
    """Both texts in pieces, in any order; ids come before or after their text."""
    left, parts = [[*text] for text in TEXTS], []
    ids = [[ord(one) for one in text] for text in TEXTS]
    while any(left) or any(ids):
        at = rng.randrange(len(TEXTS))
        text, some = rng.randrange(4), rng.randrange(4)
        parts.append(Delta(at, "".join(left[at][:text]), tuple(ids[at][:some])))
        del left[at][:text], ids[at][:some]
    return parts


@given(st.integers(0, 10**6))
def test_whatever_breaks_the_reader_has_every_piece_once(seed: int) -> None:
    rng = Random(seed)
    continued, had = Continued(), list[Delta | Completion]()
    for _ in range(rng.randrange(4)):
        told = deltas(rng)
        for delta in told[: rng.randrange(len(told) + 1)]:
            had += continued.items(delta)
        continued.again()
    if rng.random() < 0.5:
        for delta in deltas(rng):
            had += continued.items(delta)
    had += continued.items(completion())
    assert isinstance(had.pop(), Completion)
    gained = [one for one in had if isinstance(one, Delta)]
    if gained:  # Else the first connection told the completion alone.
        for at, text in enumerate(TEXTS):
            assert "".join(one.text for one in gained if one.index == at) == text
            ids = [id for one in gained if one.index == at for id in one.token_ids]
            assert ids == [ord(one) for one in text]


def test_another_answer_is_not_told_as_the_rest_of_this_one() -> None:
    continued = Continued()
    list(continued.items(Delta(0, "once", (1, 2))))
    continued.again()
    list(continued.items(Delta(0, "on", (1,))))
    with pytest.raises(OutcomeUnknown, match="is another one"):
        list(continued.items(Delta(0, "ly", (3,))))
    continued.again()
    with pytest.raises(OutcomeUnknown):
        list(continued.items(completion()))


def test_what_is_made_again_by_itself_changes_nothing() -> None:
    harmless = {kind for kind, row in ACTS.items() if row.effect in (Effect.NONE, Effect.READ)}
    costly = {Generate, Stream, Cancel, Attempt, Report, AskHuman}
    assert harmless - costly == REPEATABLE


def test_waits_grow_end_and_are_never_for_what_may_be_done_already() -> None:
    async def main() -> None:
        patience = Patience(total_s=0.05, first_s=0.01, most_s=0.02)
        lost = Lost("cut", is_sent=True)
        looking = Attempts(WhoAmI(), "", patience, Random(1))

        async def again_and_again() -> None:
            for _ in range(50):
                await looking.after(lost, was_there=True)

        with pytest.raises(ShuttingDown, match="cut"):
            await again_and_again()
        with pytest.raises(OutcomeUnknown, match=r"process.send: cut; nobody knows"):
            await Attempts(Send(pid=1, body=1), "", patience, Random(1)).after(lost, was_there=True)
        keyed = Attempts(Send(pid=1, body=1), "k", patience, Random(1))
        await keyed.after(lost, was_there=True)
        unsent = Attempts(Send(pid=1, body=1), "", patience, Random(1))
        await unsent.after(Lost("refused", is_sent=False), was_there=True)
        with pytest.raises(ShuttingDown, match="refused"):
            await unsent.after(Lost("refused", is_sent=False), was_there=False)

    asyncio.run(main())
