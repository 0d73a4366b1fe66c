"""What a yes is bound to, and what becomes of questions in the book."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from aios.access.acts import ACTS
from aios.access.approvals import (
    CONSEQUENCES,
    Book,
    consequence,
    digest_of,
)
from aios.access.base import Act, Effect
from aios.errors import Busy, InvalidArgument, NotFound, WrongState
from aios.syscalls.approval import Answer, Approval


def question(number: int = 1, agent: str = "travel", digest: str = "d" * 64) -> Approval:
    return Approval(
        id=number,
        digest=digest,
        agent=agent,
        pid=2,
        verb="file.delete",
        object="a.txt",
        arguments="{}",
        consequence="",
        reason="policy",
        asked=0.0,
        expires=600.0,
    )


def book(*questions: Approval) -> Book:
    made = Book(each_max=2, all_max=3)
    for one in questions:
        made.add(one)
    return made


def answered(made: Book, number: int = 1, *, yes: bool = True) -> None:
    made.end_answer(made.answered(number, "d" * 64, yes=yes, by="init", note=""), is_kept=True)


@given(*[st.tuples(st.text(), st.text(), st.binary())] * 2)
def test_two_acts_have_one_digest_only_where_they_are_the_same(
    one: tuple[str, str, bytes], other: tuple[str, str, bytes]
) -> None:
    assert (digest_of(*one) == digest_of(*other)) == (one == other)


def test_moving_a_letter_from_the_verb_to_the_object_makes_another_act() -> None:
    assert digest_of("file.delete", "a", b"") != digest_of("file.delet", "ea", b"")


def test_every_act_that_may_change_something_is_told_in_plain_words() -> None:
    changing = {row.verb for row in ACTS.values() if row.effect not in (Effect.NONE, Effect.READ)}
    harmless = {"process.receive", "approval.answer"}
    assert changing - CONSEQUENCES.keys() - harmless == set()
    assert CONSEQUENCES.keys() - {row.verb for row in ACTS.values()} == set()
    for verb in CONSEQUENCES:
        assert "{" not in consequence(Act(verb, "travel", "a.txt", Effect.FINAL), "travel")


def test_whose_thing_it_is_is_told_where_it_is_anothers() -> None:
    act = Act("file.delete", "shop", "a.txt", Effect.FINAL)
    assert consequence(act, "travel").startswith("a.txt of shop goes away")
    assert consequence(act, "shop").startswith("a.txt goes away")


def test_an_agents_braces_are_only_text() -> None:
    act = Act("file.delete", "{agent}", "{0.__class__}", Effect.FINAL)
    assert "{0.__class__}" in consequence(act, "{agent}")


def test_an_answer_to_another_digest_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="digest"):
        book(question()).answered(1, "e" * 64, yes=True, by="init", note="")


def test_a_second_answer_is_refused_also_while_the_first_is_being_kept() -> None:
    made = book(question())
    made.begin_answer(1)
    with pytest.raises(WrongState, match="answered"):
        made.answered(1, "d" * 64, yes=False, by="init", note="")
    answered_one = replace(question(), answer=Answer.YES)
    made.end_answer(answered_one, is_kept=True)
    with pytest.raises(WrongState, match="yes"):
        made.answered(1, "d" * 64, yes=False, by="init", note="")


def test_an_answer_that_could_not_be_kept_leaves_the_question_open() -> None:
    made = book(question())
    made.begin_answer(1)
    made.end_answer(replace(question(), answer=Answer.YES), is_kept=False)
    assert made.get(1).answer is Answer.PENDING


def test_a_yes_is_taken_once_and_found_again_when_it_is_given_back() -> None:
    made = book(question())
    assert not made.take(1)
    answered(made)
    assert made.take(1)
    assert not made.take(1)
    assert made.find("travel", "d" * 64) is None
    made.give_back(1)
    assert made.find("travel", "d" * 64) == made.get(1)
    assert made.take(1)
    made.close(1, Answer.USED)
    assert not made.take(1)


def test_a_no_is_never_taken() -> None:
    made = book(question())
    answered(made, yes=False)
    assert not made.take(1)


def test_a_yes_for_one_agent_is_not_found_by_another() -> None:
    made = book(question())
    answered(made)
    assert made.find("other", "d" * 64) is None


def test_what_waits_is_bounded_for_an_agent_and_for_all() -> None:
    made = book(question(1, digest="1" * 64), question(2, digest="2" * 64))
    with pytest.raises(Busy, match="travel"):
        made.check_room("travel")
    made.add(question(3, agent="other"))
    with pytest.raises(Busy, match="3 acts"):
        made.check_room("third")


def test_a_question_that_is_over_can_still_be_looked_at() -> None:
    made = book(question())
    made.close(1, Answer.EXPIRED)
    assert made.get(1).answer is Answer.EXPIRED
    assert made.all() == [made.get(1)]
    with pytest.raises(NotFound, match="no approval 2"):
        made.get(2)


def test_time_ends_what_nobody_is_busy_with() -> None:
    made = book(question(1), question(2, agent="other"))
    made.begin_answer(2)
    assert [one.id for one in made.due(600.0)] == [1]
    assert made.due(599.0) == []
