"""What goes into the next call: never over the budget, calls with their results, newest first."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aios.errors import InvalidArgument
from aios.memory.assemble import NOTES_TITLE, instructions_of, units_of
from aios.memory.assembler import SUMMARY_TITLE, Assembler
from aios.syscalls.history import Assemble, Assembled
from aios.syscalls.llm import Message, ToolCall
from aios.syscalls.note import Note
from tests.memory.fakes import NoNotes, WordModels
from tests.memory.hand import done


def system(text: str) -> Message:
    return Message(role="system", content=text)


def user(text: str) -> Message:
    return Message(role="user", content=text)


def calls(*ids: str) -> Message:
    return Message(role="assistant", tool_calls=tuple(ToolCall(id, "find", "{}") for id in ids))


def result(id: str, text: str = "found") -> Message:
    return Message(role="tool", content=text, tool_call_id=id)


class TwoNotes:
    """Always recalls the same."""

    async def recall(self, agent: str, query: str, limit: int) -> Sequence[Note]:
        texts = {"n1": "likes Rome", "n2": "hates very early flights indeed"}
        return [
            Note(id=id, owner=agent, text=text, created=0.0, updated=0.0)
            for id, text in list(texts.items())[:limit]
        ]


def assembled(
    messages: Sequence[Message], budget: int, models: WordModels | None = None, **options: object
) -> Assembled:
    assembler = Assembler(models or WordModels(), TwoNotes())
    call = Assemble(name="trip", budget_tokens=budget, **options)  # type: ignore[arg-type]
    return done(assembler.assemble("travel", call, messages))


def test_instructions_and_the_newest_turns_stay() -> None:
    talk = [system("be kind"), user("one two"), user("three"), user("four")]
    got = assembled(talk, budget=7)
    assert got.messages == (talk[0], talk[2], talk[3])
    assert got.tokens == 7
    assert [(one.id, one.tokens) for one in got.left_out] == [("1", 3)]
    assert "older turns" in got.left_out[0].why


def test_calls_and_their_results_stay_or_go_together() -> None:
    talk = [user("find"), calls("a", "b"), result("a"), result("b"), user("thanks")]
    whole = assembled(talk, budget=9)
    assert whole.messages == tuple(talk)
    less = assembled(talk, budget=6)
    assert less.messages == (talk[4],)
    assert [one.id for one in less.left_out] == ["0", "1", "2", "3"]


def test_a_call_id_that_is_used_again_ties_only_its_own_results() -> None:
    talk = [calls("a"), result("a"), calls("a"), result("a"), calls("b"), user("x"), result("b")]
    units = units_of(talk, [1] * 7, 0)
    assert [(unit.start, unit.end) for unit in units] == [(0, 2), (2, 4), (4, 7)]


def test_notes_take_at_most_a_quarter_and_stand_after_the_instructions() -> None:
    talk = [system("be kind"), user("where to?")]
    got = assembled(talk, budget=22, query="trip")
    assert got.messages[1].content == f"{NOTES_TITLE}\n- likes Rome"
    assert [(one.kind, one.id) for one in got.left_out] == [("note", "n2")]
    assert "a quarter" in got.left_out[0].why


def test_notes_do_not_push_out_the_newest_turn() -> None:
    talk = [user("a b c d e f g h i j k l m n o p q r")]
    got = assembled(talk, budget=20, query="trip", notes_max=1)
    assert got.messages == tuple(talk)
    assert [one.id for one in got.left_out] == ["n1"]


def test_what_the_template_adds_is_counted_at_the_end() -> None:
    talk = [user("one"), user("two"), user("three")]
    got = assembled(talk, budget=6, models=WordModels(extra=1))
    assert (got.messages, got.tokens) == ((talk[1], talk[2]), 5)
    assert [one.id for one in got.left_out] == ["0"]


def test_old_turns_are_summarised_when_asked() -> None:
    models = WordModels()
    talk = [system("be kind"), *(user(f"turn {n}") for n in range(30))]
    got = assembled(talk, budget=64, models=models, summarise=True)
    assert got.messages[1].content == f"{SUMMARY_TITLE}\nit was long"
    assert got.tokens <= 64
    agent, count, tokens = models.asked[0]
    assert (agent, tokens) == ("travel", 8)
    assert count == len(got.left_out) > 0
    assert "summarised" in got.left_out[0].why


def test_nothing_is_summarised_where_all_fits() -> None:
    models = WordModels()
    assembled([user("one")], budget=9, models=models, summarise=True)
    assert models.asked == []


def test_instructions_that_do_not_fit_are_told() -> None:
    with pytest.raises(InvalidArgument, match="the instructions take 4 tokens"):
        assembled([system("a b c"), user("x")], budget=3)


def test_a_turn_larger_than_the_budget_is_left_out() -> None:
    got = assembled([user("a b c d")], budget=4)
    assert (got.messages, got.tokens, [one.id for one in got.left_out]) == ((), 0, ["0"])


def test_a_message_is_counted_once() -> None:
    models = WordModels()
    assembler = Assembler(models, NoNotes())
    talk = [user(f"turn {n}") for n in range(50)]
    for _ in range(3):
        call = Assemble(name="trip", budget_tokens=1_000)
        done(assembler.assemble("travel", call, talk))
    assert models.counted == 50 + 3  # each message, and each time the whole


MESSAGES = st.lists(
    st.one_of(
        st.sampled_from([system("s"), user("u v w"), user("a b c d e f"), user("")]),
        st.builds(calls, st.sampled_from("abc"), st.sampled_from("de")),
        st.builds(result, st.sampled_from("abcde")),
    ),
    max_size=25,
)


@given(
    talk=MESSAGES,
    budget=st.integers(1, 60),
    extra=st.integers(0, 5),
    query=st.sampled_from(["", "trip"]),
    summarise=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_no_assembly_is_over_its_budget_or_tears_a_unit(
    talk: list[Message], budget: int, extra: int, query: str, summarise: bool
) -> None:
    models = WordModels(extra)
    try:
        got = assembled(talk, budget, models, query=query, summarise=summarise)
    except InvalidArgument:
        # Only instructions that are too long on their own may be refused.
        leading = talk[: instructions_of(talk)]
        assert done(models.count(leading, "")) + extra > budget
        return
    assert got.tokens <= budget
    assert got.tokens == (done(models.count(got.messages, "")) if got.messages else 0)
    out = {int(one.id) for one in got.left_out if one.kind == "message"}
    for unit in units_of(talk, [1] * len(talk), 0):
        inside = {number in out for number in range(unit.start, unit.end)}
        assert len(inside) == 1, "a unit is in or out as a whole"
