"""A note is described, tied to its neighbours, and changes them, as the model says."""

import asyncio
import json
from random import Random
from typing import Any

import jsonschema
import pytest

from aios.agents.notekeeper import CONNECTIONS, DESCRIPTION, Kept, Notekeeper
from aios.errors import CoreFailed
from aios.journal.base import Work
from aios.memory.notes import NoteRoom
from aios.sdk import Client
from aios.syscalls import Syscall, name_of
from aios.syscalls.note import Get, Note, Search, Update
from aios.testing.journal import InlineJournal
from tests.memory.fakes import WordIndex
from tests.memory.test_notes import Hours
from tests.sdk.fakes import FakeKernel, contents


class NoteKernel(FakeKernel):
    """A model that reads from a script, over a real room of notes that are indexed at once."""

    def __init__(self, *script: Any) -> None:
        super().__init__(*(one if isinstance(one, str) else json.dumps(one) for one in script))
        self.journal = InlineJournal()
        self.index = WordIndex()
        self.room = NoteRoom(self.journal, self.index, Hours(), Random(1))
        self.before: list[Syscall[Any]] = []  # made by somebody else before the next update

    async def call(self, token: str, call: Syscall[Any], *, key: str = "") -> Any:
        if not name_of(type(call)).startswith("note."):
            return await super().call(token, call, key=key)
        if isinstance(call, Update) and self.before:
            await self.do(self.before.pop())
        return await self.do(call)

    async def do(self, call: Any) -> Any:
        verb = call.__struct_config__.tag.partition(".")[2]
        reply = await getattr(self.room, verb)("travel", call, Work(self.journal))
        if isinstance(reply, Note):
            await self.index.settle(self.room, [reply.id])
        return reply


def about(*tags: str, context: str = "on travel") -> dict[str, Any]:
    return {"keywords": ["travel"], "tags": list(tags), "context": context}


def keep(kernel: NoteKernel, *texts: str) -> list[Kept]:
    async def scene() -> list[Kept]:
        client, keeper = Client(kernel, kernel.token), Notekeeper(max_tokens=200)
        return [await keeper.add(client, text, source="chat") for text in texts]

    return asyncio.run(scene())


def test_a_first_note_is_described_and_has_nobody_to_be_tied_to() -> None:
    kernel = NoteKernel(about("taste"))
    [kept] = keep(kernel, "Ann likes travel to Rome")
    assert (kept.note.keywords, kept.note.tags) == (("travel",), ("taste",))
    assert (kept.note.context, kept.note.source, kept.evolved) == ("on travel", "chat", ())
    asked = kernel.generated[0]
    assert (asked.decoding.schema, asked.decoding.temperature) == (DESCRIPTION, 0)
    assert contents(asked.messages)[-1] == '{"note":"Ann likes travel to Rome"}'


def test_the_model_ties_a_note_to_its_neighbours_and_changes_them() -> None:
    update = {"neighbour": 0, "context": "Ann's travel, by train", "tags": ["taste", "train"]}
    kernel = NoteKernel(about("taste"), about("train"), {"links": [0], "updates": [update]})
    first, second = keep(kernel, "Ann likes travel to Rome", "Ann prefers travel by train")
    assert second.note.links == (first.note.id,)
    [evolved] = second.evolved
    assert (evolved.id, evolved.version) == (first.note.id, 2)
    now = asyncio.run(kernel.do(Get(id=first.note.id)))
    assert (now.context, now.tags) == ("Ann's travel, by train", ("taste", "train"))
    assert now.links == (second.note.id,)
    question = json.loads(contents(kernel.generated[2].messages)[-1] or "")
    assert question["neighbours"][0]["note"] == "Ann likes travel to Rome"
    assert kernel.generated[2].decoding.schema == CONNECTIONS


def test_a_neighbour_that_moved_on_meanwhile_is_left_as_it_is() -> None:
    update = {"neighbour": 0, "context": "stale", "tags": []}
    kernel = NoteKernel(about("taste"), about("train"), {"links": [0], "updates": [update]})
    [first] = keep(kernel, "Ann likes travel to Rome")
    kernel.before.append(Update(id=first.note.id, text="Ann hates travel"))
    [second] = keep(kernel, "Ann prefers travel by train")
    assert second.evolved == ()
    assert second.note.links == (first.note.id,)
    assert asyncio.run(kernel.do(Get(id=first.note.id))).context == "on travel"


def test_numbers_that_nobody_has_are_passed_over() -> None:
    update = {"neighbour": 7, "context": "x", "tags": []}
    kernel = NoteKernel(about(), about(), {"links": [3, 99], "updates": [update]})
    _, second = keep(kernel, "travel one", "travel two")
    assert (second.note.links, second.evolved) == ((), ())


def test_what_is_no_description_is_the_models_fault_and_adds_no_note() -> None:
    kernel = NoteKernel("I would file it under travel")
    with pytest.raises(CoreFailed, match="expected JSON of the notekeeper's schema"):
        keep(kernel, "travel")
    assert asyncio.run(kernel.do(Search())).notes == ()


def test_the_schemas_admit_what_the_keeper_understands() -> None:
    jsonschema.validate(about("a"), DESCRIPTION)
    update = {"neighbour": 0, "context": "x", "tags": ["y"]}
    jsonschema.validate({"links": [1], "updates": [update]}, CONNECTIONS)
