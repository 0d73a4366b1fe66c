"""Histories are lists that fork and roll back; what they share is stored once."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from aios.errors import (
    Conflict,
    InvalidArgument,
    NoSpace,
    NotFound,
    QuotaExceeded,
    WrongState,
)
from aios.journal.base import Statement
from aios.memory.assembler import Assembler
from aios.memory.histories import HistoryRoom
from aios.syscalls.history import Drop, Extend, Fork, Histories, Rollback, Turns
from aios.syscalls.llm import Message, ToolCall
from aios.testing.journal import InlineJournal
from tests.memory.fakes import NoNotes, WordModels
from tests.memory.hand import ask, done

COUNTS = Statement("counts", "SELECT (SELECT count(*) FROM nodes), (SELECT count(*) FROM messages)")


def said(text: str) -> Message:
    return Message(role="user", content=text)


class Desk:
    """A room of histories over a journal."""

    def __init__(self) -> None:
        self.journal = InlineJournal()
        self.restart()

    def restart(self, **limits: int) -> None:
        self.room = HistoryRoom(self.journal, Assembler(WordModels(), NoNotes()), **limits)

    def ask(self, call: Any, agent: str = "travel") -> Any:
        return ask(self.room, self.journal, agent, call)

    def say(self, name: str, *texts: str) -> Any:
        return self.ask(Extend(name=name, messages=tuple(map(said, texts))))

    def texts(self, name: str, agent: str = "travel", **part: Any) -> list[str]:
        found = self.ask(Turns(name=name, **part), agent)
        return [message.content for message in found.messages]

    def stored(self) -> tuple[Any, Any]:
        """Nodes and messages, after all garbage is gone."""
        while done(self.room.collect()):
            pass
        [(nodes, messages)] = done(self.journal.read(COUNTS))
        return nodes, messages


@pytest.fixture
def desk() -> Iterator[Desk]:
    one = Desk()
    yield one
    one.journal.close()


def test_messages_come_back_whole_and_in_order_after_a_restart(desk: Desk) -> None:
    turn = (
        said("Rome?"),
        Message(role="assistant", tool_calls=(ToolCall("c1", "find", '{"to": "Rome"}'),)),
        Message(role="tool", content="2 flights", tool_call_id="c1", name="find"),
    )
    desk.ask(Extend(name="trip", messages=turn))
    desk.say("trip", "And Oslo?")
    desk.restart()
    found = desk.ask(Turns(name="trip"))
    assert (found.messages, found.length) == ((*turn, said("And Oslo?")), 4)


def test_a_part_is_read_from_the_middle(desk: Desk) -> None:
    desk.say("trip", *(str(number) for number in range(300)))
    assert desk.texts("trip", start=17, end=20) == ["17", "18", "19"]
    assert desk.texts("trip", start=298) == ["298", "299"]
    assert desk.texts("trip", end=1) == ["0"]
    assert desk.texts("trip", start=300) == desk.texts("trip", start=9, end=5) == []


def test_a_fork_shares_what_was_and_goes_its_own_way(desk: Desk) -> None:
    desk.say("trip", "a", "b", "c")
    forked = desk.ask(Fork(name="trip", to="other", at=2))
    assert forked.length == 2
    desk.say("other", "x")
    desk.say("trip", "d")
    assert desk.texts("other") == ["a", "b", "x"]
    assert desk.texts("trip") == ["a", "b", "c", "d"]
    assert desk.stored() == (5, 5)


def test_equal_conversations_are_stored_once_and_have_equal_heads(desk: Desk) -> None:
    one, two = desk.say("one", "a", "b"), desk.say("two", "a", "b")
    assert one.head == two.head
    assert desk.stored() == (2, 2)


def test_a_rollback_keeps_the_forks_and_leaves_no_garbage(desk: Desk) -> None:
    desk.say("trip", *"abcdef")
    desk.ask(Fork(name="trip", to="other"))
    assert desk.ask(Rollback(name="trip", at=2)).length == 2
    assert (desk.texts("trip"), desk.texts("other")) == (["a", "b"], list("abcdef"))
    desk.ask(Drop(name="other"))
    assert desk.stored() == (2, 2)
    desk.ask(Rollback(name="trip", at=0))
    assert (desk.texts("trip"), desk.stored()) == ([], (0, 0))
    desk.say("trip", "again")
    assert desk.texts("trip") == ["again"]


def test_a_turn_costs_as_much_as_the_turn(desk: Desk) -> None:
    desk.say("trip", *(str(number) for number in range(5_000)))
    calls: list[int] = []
    post = desk.journal.post

    def counting(changes: Any) -> Any:
        calls.append(len(changes))
        return post(changes)

    desk.journal.post = counting  # type: ignore[method-assign]  # watched, not replaced
    desk.say("trip", "one more")
    desk.ask(Fork(name="trip", to="other", at=2_500))
    desk.ask(Rollback(name="trip", at=1_234))
    assert calls == [3, 1, 1]
    assert desk.texts("other", start=2_499) == ["2499"]


def test_large_messages_are_blobs(desk: Desk) -> None:
    desk.say("trip", "x" * 100_000, "small")
    assert len(done(desk.room.blobs())) == 1
    assert desk.texts("trip")[0] == "x" * 100_000


def test_a_base_that_moved_on_is_a_conflict_with_both_lengths(desk: Desk) -> None:
    desk.say("trip", "a", "b")
    with pytest.raises(Conflict, match="has 2 messages") as caught:
        desk.ask(Extend(name="trip", messages=(said("c"),), base=1))
    assert (caught.value.base, caught.value.current) == (1, 2)
    assert desk.ask(Extend(name="trip", messages=(said("c"),), base=2)).length == 3


def test_mistakes_are_told_and_change_nothing(desk: Desk) -> None:
    desk.say("trip", "a")
    mistakes = {
        Turns(name="none"): NotFound,
        Drop(name="none"): NotFound,
        Fork(name="none", to="x"): NotFound,
        Fork(name="trip", to="trip"): WrongState,
        Fork(name="trip", to="x", at=2): InvalidArgument,
        Rollback(name="trip", at=2): InvalidArgument,
    }
    for call, error in mistakes.items():
        with pytest.raises(error):
            desk.ask(call)
    assert [one.name for one in desk.ask(Histories()).histories] == ["trip"]


def test_histories_belong_to_their_agent(desk: Desk) -> None:
    desk.say("trip", "a")
    with pytest.raises(NotFound, match="no history 'trip'"):
        desk.texts("trip", agent="nosy")
    assert desk.ask(Histories(), "nosy").histories == ()


def test_an_agent_has_only_so_many_histories(desk: Desk) -> None:
    desk.restart(histories_max=2)
    desk.say("one", "a")
    desk.say("two", "a")
    with pytest.raises(QuotaExceeded, match="has 2 histories"):
        desk.say("three", "a")
    with pytest.raises(QuotaExceeded):
        desk.ask(Fork(name="one", to="three"))
    desk.say("two", "b")


NAMES = st.sampled_from(["x", "y", "z"])
LONG = {"L": "d" * 70_000}  # a letter for a message that is a blob
TEXTS = st.lists(st.sampled_from(["a", "b", "c", "L"]), min_size=1, max_size=9)


class HistoriesAreLists(RuleBasedStateMachine):
    """Whatever is forked, rolled back, lost in a crash or refused by the disk."""

    @initialize()
    def begin(self) -> None:
        self.desk = Desk()
        self.model: dict[str, list[str]] = {}

    def teardown(self) -> None:
        self.desk.journal.close()

    @rule(name=NAMES, texts=TEXTS, fails=st.booleans())
    def extend(self, name: str, texts: list[str], fails: bool) -> None:
        texts = [LONG.get(text, text) for text in texts]
        if self.succeeds(Extend(name=name, messages=tuple(map(said, texts))), fails):
            self.model[name] = self.model.get(name, []) + texts

    @rule(name=NAMES, to=NAMES, data=st.data(), fails=st.booleans())
    def fork(self, name: str, to: str, data: st.DataObject, fails: bool) -> None:
        if name in self.model and to not in self.model:
            at = data.draw(st.integers(0, len(self.model[name])))
            if self.succeeds(Fork(name=name, to=to, at=at), fails):
                self.model[to] = self.model[name][:at]

    @rule(name=NAMES, data=st.data(), fails=st.booleans())
    def rollback(self, name: str, data: st.DataObject, fails: bool) -> None:
        if name in self.model:
            at = data.draw(st.integers(0, len(self.model[name])))
            if self.succeeds(Rollback(name=name, at=at), fails):
                del self.model[name][at:]

    @rule(name=NAMES, fails=st.booleans())
    def drop(self, name: str, fails: bool) -> None:
        if name in self.model and self.succeeds(Drop(name=name), fails):
            del self.model[name]

    @rule()
    def crash(self) -> None:
        self.desk.restart()

    @rule()
    def collect(self) -> None:
        prefixes = {
            tuple(texts[: n + 1]) for texts in self.model.values() for n in range(len(texts))
        }
        assert self.desk.stored() == (len(prefixes), len({one[-1] for one in prefixes}))

    @invariant()
    def they_agree(self) -> None:
        assert {one.name for one in self.desk.ask(Histories()).histories} == set(self.model)
        for name, texts in self.model.items():
            assert self.desk.texts(name) == texts

    def succeeds(self, call: Any, fails: bool) -> bool:
        if fails:
            self.desk.journal.fail_next(NoSpace("the disk is full"))
            with pytest.raises(NoSpace):
                self.desk.ask(call)
            return False
        self.desk.ask(call)
        return True


TestHistoriesAreLists = HistoriesAreLists.TestCase
TestHistoriesAreLists.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
