"""The engine through its public face: right answers, orders at token boundaries, bounded memory."""

from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from aios.context.snapshot import Tier
from aios.context.tiers import TierStore
from aios.cores.base import NOWHERE, Advanced, Failed, Finished, Progress, Suspended
from aios.cores.torch.engine import Engine
from aios.errors import InvalidArgument
from aios.syscalls.llm import Beams, Decoding, Generate, Message, Tokenize, ToolSpec
from tests.cores.torch.desk import Desk, generation, prompt, settings, store
from tests.cores.torch.small_models import END, FAMILIES, VOCAB, beams, folder, greedy
from tests.devices import DEVICES

SCHEMA = {
    "type": "object",
    "properties": {"city": {"enum": ["Paris", "Rome"]}},
    "required": ["city"],
    "additionalProperties": False,
}
SWITCH = ToolSpec(
    "switch",
    "a switch",
    {
        "type": "object",
        "properties": {"to": {"enum": ["on", "off"]}},
        "required": ["to"],
        "additionalProperties": False,
    },
)


@cache
def engine_on(device: str) -> Desk:
    return Desk(settings(folder(), device=device), store(Path(mkdtemp(prefix="aios-tiers-"))))


def emptied(shared: Desk) -> Desk:
    """An engine that others used before, and left empty."""
    assert shared.engine.is_idle
    assert shared.is_empty()
    shared.told.clear()
    shared.rows.clear()
    return shared


@pytest.fixture
def desk() -> Desk:
    return emptied(engine_on("cpu"))


def crowded(tmp_path: Path, tokens: int) -> Desk:
    """An engine with little room."""
    return Desk(settings(folder(), kv_bytes=tokens * 2048), store(tmp_path))


# Answers.


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("family", sorted(set(FAMILIES) - {"mixtral"}))
def test_greedy_answers_of_a_crowd_equal_transformers(
    family: str, exact: bool, device: str, tmp_path: Path
) -> None:
    desk = Desk(settings(folder(family), exact=exact, device=device), store(tmp_path))
    prompts = [prompt(seed, tokens) for seed, tokens in enumerate((1, 7, 64, 65, 130, 200))]

    for place, ids in enumerate(prompts):
        desk.start(generation(f"g{place}", ids))
    desk.run()

    for place, ids in enumerate(prompts):
        assert desk.answer(f"g{place}") == greedy(folder(family), ids, 24, device)


def test_a_model_of_experts_runs_in_fast_mode(tmp_path: Path) -> None:
    desk = Desk(settings(folder("mixtral"), exact=False), store(tmp_path))

    desk.start(generation("g", prompt(1, 70)))
    desk.run()

    assert desk.answer("g") == greedy(folder("mixtral"), prompt(1, 70), 24)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("width", "n", "penalty", "early"),
    [(2, 1, 1.0, False), (4, 2, 0.0, True), (4, 4, 2.0, False), (3, 3, 1.0, True)],
)
def test_beam_search_equals_transformers(
    width: int, n: int, penalty: float, early: bool, device: str
) -> None:
    desk = emptied(engine_on(device))
    how = Beams(width=width, length_penalty=penalty, early_stopping=early)
    desk.start(generation("beams", prompt(3, 90), beams=how, n=n))
    desk.start(generation("company", prompt(4, 20)))

    desk.run()

    answers, scores = beams(
        folder(),
        prompt(3, 90),
        24,
        device,
        num_beams=width,
        num_return_sequences=n,
        length_penalty=penalty,
        early_stopping=early,
    )
    choices = desk.finished("beams").choices
    assert [choice.token_ids for choice in choices] == answers
    assert [choice.score for choice in choices] == pytest.approx(scores, rel=1e-5)


def test_samples_of_one_call_differ_and_share_their_prompt(desk: Desk) -> None:
    desk.start(generation("g", prompt(1, 128), temperature=1.0, n=4))
    desk.step()
    held = desk.engine._pool.capacity - desk.engine._pool.room
    desk.run()

    choices = desk.finished("g").choices
    assert [choice.index for choice in choices] == [0, 1, 2, 3]
    assert len({choice.token_ids for choice in choices}) == 4
    assert held <= 8 + 4


def test_what_is_told_on_the_way_is_what_is_told_at_the_end(desk: Desk) -> None:
    desk.start(generation("g", prompt(5, 30), temperature=1.0, n=2, logprobs=1, max_tokens=40))
    desk.run()

    told = desk.told["g"]
    for choice in desk.finished("g").choices:
        assert tuple(told.produced[choice.index]) == choice.token_ids
        assert told.texts[choice.index] == choice.message.content
        assert tuple(told.logprobs[choice.index]) == choice.logprobs
    assert told.count == sum(map(len, told.produced))
    assert told.prefilled == 30


def test_the_end_token_ends_an_answer_and_is_no_text(desk: Desk) -> None:
    desk.start(generation("g", prompt(5, 30), logit_bias={END: 1000.0}))
    desk.run()

    (choice,) = desk.finished("g").choices
    assert choice.token_ids == (END,)
    assert choice.finish_reason == "stop"
    assert choice.message.content == ""


def test_a_stop_string_ends_an_answer_before_it(desk: Desk) -> None:
    desk.start(generation("free", prompt(5, 30), temperature=1.0, max_tokens=60))
    desk.run()
    text = desk.finished("free").choices[0].message.content or ""
    stop = text[10:12]

    desk.start(generation("g", prompt(5, 30), temperature=1.0, max_tokens=60, stop=(stop,)))
    desk.run()

    (choice,) = desk.finished("g").choices
    assert choice.message.content == text[: text.index(stop)]
    assert choice.finish_reason == "stop"


def test_a_schema_is_obeyed_by_samples_and_beams(desk: Desk) -> None:
    desk.start(generation("s", prompt(1, 9), schema=SCHEMA, temperature=1.0, max_tokens=40))
    desk.start(generation("b", prompt(1, 9), schema=SCHEMA, beams=Beams(width=3), max_tokens=40))
    desk.run()

    for name in ("s", "b"):
        text = desk.finished(name).choices[0].message.content
        assert text in ('{"city": "Paris"}', '{"city": "Rome"}')


def test_a_forced_tool_is_called(desk: Desk) -> None:
    desk.start(generation("g", prompt(1, 9), tools=(SWITCH,), tool_choice="switch", max_tokens=60))
    desk.run()

    (choice,) = desk.finished("g").choices
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls[0].name == "switch"
    assert choice.message.tool_calls[0].arguments in ('{"to": "on"}', '{"to": "off"}')


def test_a_prompt_that_was_computed_before_is_not_computed_again(desk: Desk) -> None:
    desk.forget_prefixes()
    desk.start(generation("first", prompt(8, 150)))
    desk.run()
    desk.start(generation("second", prompt(8, 150)))
    desk.run()

    assert desk.finished("first").cached_tokens == 0
    assert desk.finished("second").cached_tokens == 128
    assert desk.told["second"].prefilled == 22
    assert desk.answer("first") == desk.answer("second")


# Orders.


@pytest.mark.parametrize("tier", list(Tier))
@pytest.mark.parametrize("steps", [0, 1, 3, 10])
def test_a_stopped_generation_rests_and_goes_on(tier: Tier, steps: int, desk: Desk) -> None:
    one = generation("g", prompt(2, 400))
    desk.start(one)
    for _ in range(steps):
        desk.step()
    desk.engine.stop("g", tier, None)
    desk.run()

    assert [event.asked for event in desk.told["g"].suspended] == [True]
    assert desk.told["g"].suspended[0].snapshot.tier is tier
    desk.start(one)
    desk.run()
    assert desk.answer("g") == greedy(folder(), prompt(2, 400), 24)
    assert desk.finished("g").recomputed == ""


def test_one_that_rests_in_the_pool_is_moved_out_on_demand(desk: Desk) -> None:
    one = generation("g", prompt(2, 100))
    desk.start(one)
    desk.step()
    for tier in (Tier.DEVICE, Tier.DEVICE, Tier.RAM, Tier.DISK):
        desk.engine.stop("g", tier, None)
        desk.run()

    tiers = [event.snapshot.tier for event in desk.told["g"].suspended]
    assert tiers == [Tier.DEVICE, Tier.DEVICE, Tier.RAM, Tier.DISK]
    assert desk.is_empty()
    desk.start(one)
    desk.run()
    assert desk.answer("g") == greedy(folder(), prompt(2, 100), 24)


def test_a_stop_of_what_has_ended_or_never_was_is_answered(desk: Desk) -> None:
    desk.start(generation("g", prompt(2, 10)))
    desk.run()

    desk.engine.stop("g", Tier.RAM, None)
    desk.engine.stop("nobody", Tier.DISK, None)
    desk.engine.drop("nobody", None)

    assert desk.engine.step() == [
        Suspended(id="g", snapshot=NOWHERE),
        Suspended(id="nobody", snapshot=NOWHERE),
    ]


def test_a_stop_of_one_that_found_no_room_in_any_tier_is_answered(tmp_path: Path) -> None:
    tiers = TierStore(
        ram=tmp_path / "ram", disk=tmp_path / "disk", ram_bytes=1, disk_bytes=1, owner="one"
    )
    desk = Desk(settings(folder(), kv_bytes=320 * 2048), tiers)
    for name, tokens in (("old", 120), ("young", 121)):
        desk.start(generation(name, prompt(tokens, tokens), max_tokens=100))
    desk.run()
    desk.engine.stop("young", Tier.RAM, None)
    desk.run()

    assert desk.told["young"].suspended == [
        Suspended(id="young", snapshot=NOWHERE, asked=False),
        Suspended(id="young", snapshot=NOWHERE),
    ]
    desk.start(desk.told["young"].generation)
    desk.run()
    assert desk.answer("young") == greedy(folder(), prompt(121, 121), 100)


def test_where_a_snapshot_cannot_be_written_the_one_before_is_kept(tmp_path: Path) -> None:
    desk = Desk(settings(folder()), store(tmp_path))
    one = generation("g", prompt(2, 100))
    desk.start(one)
    desk.step()
    desk.engine.stop("g", Tier.RAM, None)
    desk.run()
    desk.start(one)
    desk.step()
    (tmp_path / "disk").rmdir()
    desk.engine.stop("g", Tier.DISK, None)
    desk.run()

    first, second = desk.told["g"].suspended
    assert second == first
    desk.start(one)
    desk.run()
    assert desk.finished("g").recomputed == ""
    assert desk.answer("g") == greedy(folder(), prompt(2, 100), 24)


@pytest.mark.parametrize("tier", [None, *Tier])
def test_a_dropped_generation_leaves_nothing_in_any_state(
    tier: Tier | None, tmp_path: Path
) -> None:
    desk = Desk(settings(folder()), store(tmp_path))
    desk.start(generation("g", prompt(2, 100)))
    for _ in range(3):
        desk.step()
    if tier is not None:
        desk.engine.stop("g", tier, None)
        desk.step()
    desk.engine.drop("g", None)

    assert desk.engine.step() == []
    assert desk.engine.is_idle
    assert desk.is_empty()
    assert not [path for path in tmp_path.rglob("*g*") if path.is_file()]


def test_an_ended_generation_leaves_no_snapshot(tmp_path: Path) -> None:
    desk = Desk(settings(folder()), store(tmp_path))
    one = generation("left", prompt(2, 100))
    desk.start(one)
    desk.step()
    desk.engine.stop("left", Tier.DISK, None)
    desk.run()
    kept = [path for path in tmp_path.rglob("*left*") if path.is_file()]
    desk.start(one)
    desk.run()

    assert len(kept) == 1
    assert not [path for path in tmp_path.rglob("*left*") if path.is_file()]


def test_what_was_delivered_to_the_end_is_finished_without_computing(desk: Desk) -> None:
    one = generation("g", prompt(2, 20))
    desk.start(one)
    desk.run()
    answer = desk.answer("g")
    desk.told.clear()
    desk.engine.start(one, Progress(produced=(answer,)))
    desk.start(generation("other", prompt(2, 10), max_tokens=1))
    (event, *_) = desk.engine.step()

    assert isinstance(event, Finished)
    assert event.choices[0].token_ids == answer
    assert event.recomputed
    desk.run()


# Room.


def test_the_youngest_yields_when_the_pool_is_full(tmp_path: Path) -> None:
    desk = crowded(tmp_path, tokens=320)
    for name, tokens in (("old", 120), ("young", 120)):
        desk.start(generation(name, prompt(tokens, tokens), max_tokens=100))
    desk.run()

    (event,) = desk.told["young"].suspended
    assert (event.asked, event.snapshot.tier) == (False, Tier.RAM)
    assert desk.told["old"].suspended == []
    desk.start(desk.told["young"].generation)
    desk.run()
    assert desk.answer("young") == greedy(folder(), prompt(120, 120), 100)


def test_who_rests_in_the_pool_yields_before_who_runs(tmp_path: Path) -> None:
    desk = crowded(tmp_path, tokens=320)
    desk.start(generation("rests", prompt(1, 120), max_tokens=100))
    desk.step()
    desk.engine.stop("rests", Tier.DEVICE, None)
    desk.start(generation("runs", prompt(2, 120), max_tokens=100))
    desk.run()

    assert isinstance(desk.told["runs"].ended, Finished)
    tiers = [(event.asked, event.snapshot.tier) for event in desk.told["rests"].suspended]
    assert tiers == [(True, Tier.DEVICE), (False, Tier.RAM)]


def test_no_more_branches_run_at_once_than_there_are_lanes(tmp_path: Path) -> None:
    desk = Desk(settings(folder(), lanes=2), store(tmp_path))
    for place in range(5):
        desk.start(generation(f"g{place}", prompt(place, 10), max_tokens=8))
    most = 0
    while not desk.engine.is_idle:
        most = max(most, len([event for event in desk.step() if isinstance(event, Advanced)]))

    assert most == 2
    for place in range(5):
        assert desk.answer(f"g{place}") == greedy(folder(), prompt(place, 10), 8)


def test_an_answer_ends_where_the_pool_ends(tmp_path: Path) -> None:
    desk = crowded(tmp_path, tokens=288)
    desk.start(generation("g", prompt(1, 100), max_tokens=None, temperature=1.0, n=4))
    desk.run()

    choices = desk.finished("g").choices
    assert {choice.finish_reason for choice in choices} <= {"length", "stop"}
    assert max(len(choice.token_ids) for choice in choices) <= (288 - 96 - 16) // 4
    assert desk.is_empty()


# Refusals.


def test_prepare_gives_the_ids_of_text_messages_and_ids(desk: Desk) -> None:
    text = desk.engine.prepare(Tokenize(text="The fox"))
    chat = desk.engine.prepare(Generate(messages=(Message("user", "The fox"),)))

    assert desk.engine.prepare(Generate(prompt="The fox")) == text
    assert desk.engine.prepare(Generate(token_ids=(5, 6))) == (5, 6)
    assert len(chat) > len(text)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (Generate(token_ids=(1,) * 3000), "at most 2047 tokens"),
        (Generate(token_ids=(VOCAB,)), f"from 0 to {VOCAB - 1}"),
        (Generate(prompt="a", decoding=Decoding(n=33)), "at most 32 branches"),
        (Generate(prompt="a", decoding=Decoding(schema={"type": "nonsense"})), "schema"),
        (Generate(prompt="a", decoding=Decoding(logit_bias={VOCAB: 1.0})), "logit_bias"),
        (
            Generate(prompt="a", decoding=Decoding(beams=Beams(width=2), repetition_penalty=2.0)),
            "no penalties",
        ),
    ],
)
def test_prepare_says_what_was_expected(call: Generate, expected: str, desk: Desk) -> None:
    with pytest.raises(InvalidArgument, match=expected):
        desk.engine.prepare(call)


@pytest.mark.parametrize(
    "call",
    [
        Generate(prompt=" " * 5_000_000),
        Generate(messages=(Message(role="user", content=" " * 5_000_000),)),
        Generate(
            messages=(Message(role="user", content="a"),),
            decoding=Decoding(tools=(ToolSpec("t", " " * 5_000_000),)),
        ),
        Tokenize(text=" " * 5_000_000),
    ],
)
def test_a_prompt_too_long_for_any_token_is_refused_before_it_is_looked_at(
    call: Generate | Tokenize, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.engine._language, "_chat", None)  # Whoever looks at it fails.
    with pytest.raises(InvalidArgument, match=r"at most \d+ characters, got 5000\d\d\d"):
        desk.engine.prepare(call)


def test_a_text_longer_than_the_context_is_counted_all_the_same(desk: Desk) -> None:
    assert len(desk.engine.prepare(Tokenize(text="a " * 50_000))) > 2048


def test_a_start_that_cannot_be_served_fails_once_and_harms_nobody(desk: Desk) -> None:
    desk.start(generation("good", prompt(1, 10)))
    desk.start(generation("bad", (VOCAB + 1,)))
    desk.run()

    failed = desk.told["bad"].ended
    assert isinstance(failed, Failed)
    assert failed.code == "invalid_argument"
    assert desk.answer("good") == greedy(folder(), prompt(1, 10), 24)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_grammar_that_cannot_go_on_fails_its_generation_alone(
    temperature: float, desk: Desk
) -> None:
    endless = {"$defs": {"b": {"$ref": "#/$defs/b"}}, "required": ["a"], "type": "object"}
    schema = endless | {"properties": {"a": {"$ref": "#/$defs/b"}}, "additionalProperties": False}

    desk.start(generation("good", prompt(1, 10)))
    desk.start(generation("bad", prompt(2, 10), schema=schema, temperature=temperature))
    desk.run()

    failed = desk.told["bad"].ended
    assert isinstance(failed, Failed)
    assert (failed.code, failed.message) == (
        "core_failed",
        "the grammar cannot go on: NoExtensionBias",
    )
    assert desk.answer("good") == greedy(folder(), prompt(1, 10), 24)
    assert desk.is_empty()


@pytest.mark.parametrize("changes", [{}, {"exact": False}, {"dtype": "bfloat16"}])
def test_too_little_kv_is_refused_with_the_size_it_takes(
    changes: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(InvalidArgument, match="kv_bytes of at least") as refusal:
        Engine(settings(folder(), **(changes | {"kv_bytes": 1000})), store(tmp_path))

    needed = int(str(refusal.value).split("at least ")[1].split()[0])
    Engine(settings(folder(), **(changes | {"kv_bytes": needed})), store(tmp_path))
