"""Frames: what goes in comes out, in whatever pieces it travels, and rubbish is `Damaged`."""

import itertools
import struct

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aios.context.snapshot import SnapshotRef, Tier
from aios.cores.base import (
    Advanced,
    CoreEvent,
    Died,
    Exactness,
    Failed,
    Finished,
    Generation,
    Progress,
    Ready,
    Suspended,
    Traits,
)
from aios.cores.frames import (
    EVENTS_BYTES,
    FRAME_BYTES_MAX,
    Answer,
    AskFailed,
    Drop,
    Events,
    Hello,
    Order,
    Ping,
    Pong,
    Prepare,
    Prepared,
    Refused,
    Shutdown,
    Splitter,
    Start,
    Stop,
    answer_in,
    event_frames,
    frame,
    order_in,
)
from aios.errors import Damaged, InvalidArgument
from aios.syscalls.llm import Choice, Decoding, Delta, Generate, Message, Tokenize, TokenLogprob

REF = SnapshotRef(tier=Tier.RAM, path="/x/y.snap", bytes=1 << 40, tokens=12)
GENERATION = Generation(
    id="7/call-1", prompt=(1, 2, 999_999), decoding=Decoding(seed=-(2**63), max_tokens=5)
)
CHOICE = Choice(
    index=0,
    message=Message(role="assistant", content="né\0"),
    finish_reason="stop",
    token_ids=(5, 6),
    logprobs=(TokenLogprob(5, -0.25, ((5, -0.25), (6, float("-inf")))),),
    score=-1.5,
)
TRAITS = Traits(
    model="m",
    exactness=Exactness.TOKEN,
    kv_export=True,
    beam=False,
    lanes=1,
    context_tokens=2,
    kv_tokens=3,
    block_tokens=4,
    fingerprint="f",
    device="cpu",
)
ORDERS: list[Order] = [
    Prepare(1, Generate(prompt="hello", decoding=Decoding(schema={"type": "object"}))),
    Prepare(2**40, Tokenize(text="x")),
    Start(GENERATION, Progress()),
    Start(GENERATION, Progress(snapshot=REF, produced=((1, 2), (), (3,)))),
    Stop("7/call-1", Tier.DEVICE, None),
    Stop("7/call-1", Tier.DISK, REF),
    Drop("", None),
    Drop("7/call-1", REF),
    Ping(),
    Shutdown(),
]
EVENTS: list[CoreEvent] = [
    Advanced(id="a", prefilled=3, produced=1, kv_tokens=16, deltas=(Delta(0, "x", (4,)),)),
    Finished(id="a", choices=(CHOICE,), cached_tokens=2, recomputed="why"),
    Suspended(id="a", snapshot=REF, asked=False),
    Failed(id="a", code="busy", message="full"),
    Died(reason="x", final=True),
    Ready(),
]
ANSWERS: list[Answer] = [
    Hello(TRAITS),
    Refused("not_found", "no such model"),
    Prepared(1, (1, 2, 3)),
    AskFailed(1, "invalid_argument", "expected less"),
    Events(tuple(EVENTS)),
    Events(()),
    Pong(),
]


def test_orders_and_answers_arrive_as_they_were() -> None:
    for order in ORDERS:
        (body,) = Splitter().feed(frame(order))
        assert order_in(body) == order
    for answer in ANSWERS:
        (body,) = Splitter().feed(frame(answer))
        assert answer_in(body) == answer


@settings(deadline=None)
@given(cuts=st.lists(st.integers(0, 2000), max_size=40))
def test_frames_are_whole_however_the_bytes_are_cut(cuts: list[int]) -> None:
    sent = b"".join(map(frame, ANSWERS))
    splitter = Splitter()
    got: list[bytes] = []
    edges = [0, *sorted(min(cut, len(sent)) for cut in cuts), len(sent)]

    for begin, end in itertools.pairwise(edges):
        got += splitter.feed(sent[begin:end])

    assert list(map(answer_in, got)) == ANSWERS


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_rubbish_is_damaged_on_both_sides(body: bytes) -> None:
    for decode, known in ((order_in, (Ping(), Shutdown())), (answer_in, (Pong(),))):
        try:
            found = decode(body)
        except Damaged:
            continue
        assert isinstance(found, tuple(map(type, (*ORDERS, *ANSWERS)))) or found in known


@settings(deadline=None)
@given(data=st.data())
def test_a_spoilt_message_is_damaged_or_another_message_of_that_side(data: st.DataObject) -> None:
    body = bytearray(frame(data.draw(st.sampled_from(ANSWERS)))[4:])
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = answer_in(bytes(body))
    except Damaged:
        return
    assert isinstance(found, tuple(map(type, ANSWERS)))


def test_a_deep_message_is_damaged() -> None:
    with pytest.raises(Damaged):
        order_in(b"\x91" * 100_000)


@pytest.mark.parametrize("length", [FRAME_BYTES_MAX + 1, 2**32 - 1])
def test_a_frame_that_claims_to_be_too_long_is_refused_at_once(length: int) -> None:
    with pytest.raises(Damaged, match="expected a frame of at most"):
        Splitter().feed(struct.pack("<I", length))


def test_a_message_that_is_too_long_is_refused_where_it_is_made() -> None:
    with pytest.raises(InvalidArgument, match="expected at most"):
        frame(Prepare(1, Generate(prompt="x" * FRAME_BYTES_MAX)))


def test_a_call_that_is_not_well_formed_does_not_pass() -> None:
    order = msgspec.msgpack.decode(frame(ORDERS[0])[4:])
    order["call"]["decoding"] = {"temperature": -1}
    with pytest.raises(Damaged, match="temperature"):
        order_in(msgspec.msgpack.encode(order))


def test_a_large_batch_is_sent_in_parts_and_in_order() -> None:
    text = "x" * (EVENTS_BYTES // 3)
    events = [
        Advanced(id=str(i), prefilled=0, produced=0, kv_tokens=0, deltas=(Delta(0, text),))
        for i in range(10)
    ]

    frames = event_frames(events)

    told = [answer_in(body) for body in Splitter().feed(b"".join(frames))]
    assert len(frames) > 1
    assert max(map(len, frames)) <= EVENTS_BYTES + 4
    assert [one for part in told if isinstance(part, Events) for one in part.events] == events


def test_an_event_that_fits_in_no_frame_ends_its_generation() -> None:
    big = Advanced(
        id="big",
        prefilled=0,
        produced=0,
        kv_tokens=0,
        deltas=(Delta(0, "x" * FRAME_BYTES_MAX),),
    )

    told = [answer_in(body) for body in Splitter().feed(b"".join(event_frames([big, Ready()])))]

    assert isinstance(told[0], Events)
    (failed,) = told[0].events
    assert isinstance(failed, Failed)
    assert (failed.id, failed.code) == ("big", "core_failed")
    assert told[1] == Events((Ready(),))
