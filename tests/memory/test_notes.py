"""Notes keep versions, links and grants, are found through the index, and survive a restart."""

from collections.abc import Iterator
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from aios.errors import Conflict, Denied, InvalidArgument, NoSpace, NotFound
from aios.journal.statements import OUTBOX_COUNT
from aios.memory.note_store import KIND
from aios.memory.notes import NoteRoom
from aios.syscalls.memory import Access, Grant
from aios.syscalls.note import Add, Get, Link, Note, Remove, Search, ShareNote, Update
from aios.testing.journal import InlineJournal
from tests.memory.fakes import WordIndex
from tests.memory.hand import ask, done


class Hours:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.hour = 0.0

    def now(self) -> float:
        return self.hour

    def utc(self) -> float:
        return self.hour

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here sleeps")


class Desk:
    """A room of notes over a journal and an index."""

    def __init__(self) -> None:
        self.journal = InlineJournal()
        self.index = WordIndex()
        self.clock = Hours()
        self.random = Random(1)
        self.restart()

    def restart(self) -> None:
        self.room = NoteRoom(self.journal, self.index, self.clock, self.random)

    def ask(self, agent: str, call: Any) -> Any:
        return ask(self.room, self.journal, agent, call)

    def add(self, agent: str, text: str, **fields: Any) -> Note:
        self.clock.hour += 1
        note: Note = self.ask(agent, Add(text=text, **fields))
        done(self.index.settle(self.room, [note.id]))
        return note

    def found(self, agent: str, query: str = "", **filters: Any) -> list[str]:
        return [one.note.text for one in self.ask(agent, Search(query=query, **filters)).notes]


@pytest.fixture
def desk() -> Iterator[Desk]:
    one = Desk()
    yield one
    one.journal.close()


def test_a_note_comes_back_as_it_was_added_after_a_restart(desk: Desk) -> None:
    note = desk.add(
        "travel",
        "Ann likes Rome",
        keywords=("Ann", "Rome"),
        tags=("taste",),
        category="people",
        source="chat",
        context="about Ann's taste",
    )
    desk.restart()
    assert desk.ask("travel", Get(id=note.id)) == note
    assert (note.owner, note.version, note.created) == ("travel", 1, 1.0)


def test_an_update_changes_what_is_given_and_counts_versions(desk: Desk) -> None:
    note = desk.add("travel", "Ann likes Rome", tags=("taste",))
    desk.clock.hour = 9.0
    changed = desk.ask("travel", Update(id=note.id, text="Ann likes Oslo", base=1))
    assert changed == msgspec.structs.replace(note, text="Ann likes Oslo", version=2, updated=9.0)
    with pytest.raises(Conflict, match="is at version 2") as caught:
        desk.ask("travel", Update(id=note.id, tags=(), base=1))
    assert (caught.value.base, caught.value.current) == (1, 2)
    assert desk.ask("travel", Get(id=note.id)) == changed


def test_links_are_seen_from_both_ends_until_they_are_untied(desk: Desk) -> None:
    one, two = desk.add("travel", "one"), desk.add("travel", "two")
    linked = desk.ask("travel", Link(id=one.id, to=two.id))
    assert (linked.links, linked.version) == ((two.id,), 2)
    assert desk.ask("travel", Get(id=two.id)).links == (one.id,)
    assert desk.ask("travel", Link(id=one.id, to=two.id)) == linked, "no change, no version"
    assert desk.ask("travel", Link(id=two.id, to=one.id, remove=True)).links == ()
    assert desk.ask("travel", Get(id=one.id)).links == ()


def test_a_link_ends_with_either_note(desk: Desk) -> None:
    one, two = desk.add("travel", "one"), desk.add("travel", "two")
    desk.ask("travel", Link(id=one.id, to=two.id))
    desk.ask("travel", Remove(id=two.id))
    assert desk.ask("travel", Get(id=one.id)).links == ()
    with pytest.raises(NotFound):
        desk.ask("travel", Get(id=two.id))


def test_a_note_is_not_tied_to_itself(desk: Desk) -> None:
    note = desk.add("travel", "one")
    with pytest.raises(InvalidArgument, match="expected another note"):
        desk.ask("travel", Link(id=note.id, to=note.id))


def test_another_agents_note_is_as_good_as_not_there(desk: Desk) -> None:
    note = desk.add("travel", "secret")
    own = desk.add("nosy", "mine")

    def complaint(call: Any, id: str) -> str:
        with pytest.raises(NotFound) as caught:
            desk.ask("nosy", call)
        return str(caught.value).replace(id, "THAT")

    for make in (
        lambda id: Get(id=id),
        lambda id: Update(id=id, text="x"),
        lambda id: Remove(id=id),
        lambda id: Link(id=id, to=own.id),
        lambda id: Link(id=own.id, to=id),
        lambda id: ShareNote(id=id, agent="x"),
    ):
        assert complaint(make(note.id), note.id) == complaint(make("note-0"), "note-0")
    assert desk.found("nosy", "secret") == []


def test_a_shared_note_is_used_as_far_as_it_is_shared(desk: Desk) -> None:
    note = desk.add("travel", "shared secret")
    shared = desk.ask("travel", ShareNote(id=note.id, agent="money"))
    assert shared.shared == (Grant("money", Access.READ),)
    assert desk.ask("money", Get(id=note.id)).shared == ()
    assert desk.found("money", "secret") == desk.found("money") == ["shared secret"]
    assert desk.found("money", "secret", shared=False) == desk.found("money", shared=False) == []
    with pytest.raises(Denied, match="shared for reading"):
        desk.ask("money", Update(id=note.id, text="x"))
    desk.ask("travel", ShareNote(id=note.id, agent="money", access=Access.WRITE))
    desk.restart()
    assert desk.ask("money", Update(id=note.id, text="changed")).version == 2
    with pytest.raises(Denied, match="belongs to agent 'travel'"):
        desk.ask("money", Remove(id=note.id))
    desk.ask("travel", ShareNote(id=note.id, agent="money", access=Access.NONE))
    with pytest.raises(NotFound):
        desk.ask("money", Get(id=note.id))
    assert desk.found("money", "secret") == []


def test_a_reader_sees_only_links_to_notes_that_it_may_read(desk: Desk) -> None:
    one, two, three = (desk.add("travel", text) for text in ("one", "two", "three"))
    desk.ask("travel", Link(id=one.id, to=two.id))
    desk.ask("travel", Link(id=one.id, to=three.id))
    for note in (one, two):
        desk.ask("travel", ShareNote(id=note.id, agent="money"))
    assert desk.ask("money", Get(id=one.id)).links == (two.id,)


def test_without_a_query_the_newest_come_first(desk: Desk) -> None:
    for text in ("old", "middle", "new"):
        desk.add("travel", text)
    assert desk.found("travel", limit=2) == ["new", "middle"]


def test_filters_narrow_a_search_down(desk: Desk) -> None:
    desk.add("travel", "Rome by train", tags=("train", "fast"), category="trips", source="chat")
    desk.add("travel", "Rome by plane", tags=("plane", "fast"), category="trips", source="mail")
    desk.add("travel", "Rome on foot", tags=("foot",), category="dreams", source="mail")
    cases: list[tuple[dict[str, Any], set[str]]] = [
        ({"tags": ("fast",)}, {"Rome by train", "Rome by plane"}),
        ({"tags": ("fast", "train")}, {"Rome by train"}),
        ({"category": "dreams"}, {"Rome on foot"}),
        ({"source": "mail"}, {"Rome by plane", "Rome on foot"}),
        ({"since": 2.0}, {"Rome by plane", "Rome on foot"}),
        ({"until": 2.0}, {"Rome by train"}),
        ({"tags": ("none",)}, set()),
    ]
    for filters, expected in cases:
        assert set(desk.found("travel", "rome", **filters)) == expected, filters
        assert set(desk.found("travel", **filters)) == expected, filters


def test_a_removed_note_that_the_index_still_has_is_not_found(desk: Desk) -> None:
    note = desk.add("travel", "gone")
    desk.ask("travel", Remove(id=note.id))
    found = desk.ask("travel", Search(query="gone"))
    assert (found.notes, found.pending) == ((), 1)


def test_every_change_is_told_to_the_index_in_the_same_commit(desk: Desk) -> None:
    note = desk.ask("travel", Add(text="one"))
    other = desk.ask("travel", Add(text="two"))
    assert done(desk.journal.read(OUTBOX_COUNT, "note"))[0][0] == 2
    desk.journal.fail_next(NoSpace("the disk is full"))
    with pytest.raises(NoSpace):
        desk.ask("travel", Add(text="three"))
    assert done(desk.journal.read(OUTBOX_COUNT, "note"))[0][0] == 2
    desk.ask("travel", Remove(id=other.id))
    documents = done(desk.room.documents([note.id, other.id]))
    assert [(one.id, one.scope, one.text) for one in documents] == [(note.id, "travel", "one")]
    done(desk.room.add_all())
    assert KIND == "note"


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


class NotesAreADict(RuleBasedStateMachine):
    """Whatever is lost in a crash or refused by the disk: a dict of notes would hold the same."""

    notes = Bundle("notes")

    @initialize()
    def begin(self) -> None:
        self.desk = Desk()
        self.texts: dict[str, str] = {}
        self.links: set[frozenset[str]] = set()

    def teardown(self) -> None:
        self.desk.journal.close()

    @rule(target=notes, text=TEXTS)
    def add(self, text: str) -> str:
        note = self.desk.add("travel", text)
        self.texts[note.id] = text
        return note.id

    @rule(id=notes, text=TEXTS, fails=st.booleans())
    def update(self, id: str, text: str, fails: bool) -> None:
        if id in self.texts and self.succeeds(Update(id=id, text=text), fails):
            self.texts[id] = text

    @rule(one=notes, two=notes, remove=st.booleans(), fails=st.booleans())
    def link(self, one: str, two: str, remove: bool, fails: bool) -> None:
        pair = frozenset((one, two))
        if len(pair & self.texts.keys()) < 2 or (pair in self.links) is not remove:
            return
        if self.succeeds(Link(id=one, to=two, remove=remove), fails):
            self.links ^= {pair}

    @rule(id=notes, fails=st.booleans())
    def remove(self, id: str, fails: bool) -> None:
        if id in self.texts and self.succeeds(Remove(id=id), fails):
            del self.texts[id]
            self.links = {pair for pair in self.links if id not in pair}

    @rule()
    def crash(self) -> None:
        self.desk.restart()

    @invariant()
    def they_agree(self) -> None:
        found = [one.note for one in self.desk.ask("travel", Search(limit=1_000)).notes]
        assert {note.id: note.text for note in found} == self.texts
        assert {frozenset((n.id, other)) for n in found for other in n.links} == self.links

    def succeeds(self, call: Any, fails: bool) -> bool:
        if fails:
            self.desk.journal.fail_next(NoSpace("the disk is full"))
            with pytest.raises(NoSpace):
                self.desk.ask("travel", call)
            return False
        self.desk.ask("travel", call)
        return True


TestNotesAreADict = NotesAreADict.TestCase
TestNotesAreADict.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
