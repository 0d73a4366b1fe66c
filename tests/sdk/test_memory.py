"""The sub-clients of memory say what the syscalls say, for awaiting code and for threads alike."""

import asyncio
import inspect
from typing import Any, get_args, get_type_hints

import pytest

from aios.sdk import Client, SyncClient
from aios.sdk.access import AccessClient
from aios.sdk.approvals import ApprovalClient
from aios.sdk.audit import AuditClient
from aios.sdk.blocking_access import SyncAccessClient
from aios.sdk.blocking_accounts import SyncApprovalClient, SyncAuditClient, SyncBudgetClient
from aios.sdk.blocking_memory import SyncBlockClient, SyncHistoryClient, SyncNoteClient
from aios.sdk.blocks import BlockClient
from aios.sdk.budgets import BudgetClient
from aios.sdk.histories import HistoryClient
from aios.sdk.notes import NoteClient
from aios.syscalls import Message, Syscall, history, memory, note
from aios.syscalls.memory import Access, BlockData
from aios.syscalls.table import SYSCALLS

PAIRS: dict[type[Any], type[Any]] = {
    AccessClient: SyncAccessClient,
    ApprovalClient: SyncApprovalClient,
    AuditClient: SyncAuditClient,
    BlockClient: SyncBlockClient,
    BudgetClient: SyncBudgetClient,
    HistoryClient: SyncHistoryClient,
    NoteClient: SyncNoteClient,
}


class Recorder:
    """A transport that remembers what it was asked and always gives one reply."""

    is_durable = False

    def __init__(self, reply: Any = None) -> None:
        self.reply = reply
        self.asked: list[tuple[Syscall[Any], str]] = []

    async def call(self, token: str, call: Syscall[Any], *, key: str = "") -> Any:
        self.asked.append((call, key))
        return self.reply

    def stream(self, token: str, call: Any, *, key: str = "") -> Any:
        raise AssertionError("nothing here streams")

    async def close(self) -> None:
        pass


def public(kind: type[Any]) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_")}


@pytest.mark.parametrize("kind", PAIRS)
def test_the_blocking_methods_are_the_awaited_ones(kind: type[Any]) -> None:
    assert public(PAIRS[kind]) == public(kind)
    for name in public(kind):
        assert getattr(PAIRS[kind], name).__wrapped__ is getattr(kind, name)
        mine = inspect.signature(getattr(PAIRS[kind], name))
        assert mine.parameters == inspect.signature(getattr(kind, name)).parameters


FAMILIES = {
    "access": AccessClient,
    "approval": ApprovalClient,
    "audit": AuditClient,
    "budget": BudgetClient,
    "memory": BlockClient,
    "history": HistoryClient,
    "note": NoteClient,
}
OWN = [name for name in SYSCALLS if name.partition(".")[0] in FAMILIES]


@pytest.mark.parametrize("name", OWN)
def test_every_syscall_has_a_method_of_its_verb_with_its_fields_and_defaults(name: str) -> None:
    family, _, verb = name.partition(".")
    method = getattr(FAMILIES[family], verb)
    given = inspect.signature(method).parameters
    taken = {one.name: one.default for one in list(given.values())[1:] if one.name != "key"}
    fields = {
        one.name: one.default for one in inspect.signature(SYSCALLS[name]).parameters.values()
    }
    for one in given.values():
        if one.kind is one.VAR_KEYWORD:
            del taken[one.name]
            options = get_type_hints(get_args(get_type_hints(method)[one.name])[0])
            taken |= {option: fields.get(option) for option in options}
    assert taken == fields


def test_each_method_makes_the_syscall_it_is_named_after() -> None:
    recorder = Recorder()
    client = Client(recorder, "1")

    async def scene() -> None:
        await client.memory.write("plan", "Róma", owner="travel", key="k")
        await client.memory.append("plan", b"!")
        await client.memory.share("plan", "money", Access.WRITE)
        await client.history.extend("trip", "hello", base=3)
        await client.history.assemble("trip", 100, query="Rome", summarise=True)
        await client.notes.add("text", tags=["a", "b"], category="c")
        await client.notes.update("note-1", keywords=["k"], base=2)
        await client.notes.search("Rome", tags=["a"], limit=3)

    asyncio.run(scene())
    assert recorder.asked == [
        (memory.Write(name="plan", data="Róma".encode(), owner="travel"), "k"),
        (memory.Append(name="plan", data=b"!"), ""),
        (memory.Share(name="plan", agent="money", access=Access.WRITE), ""),
        (
            history.Extend(name="trip", messages=(Message(role="user", content="hello"),), base=3),
            "",
        ),
        (history.Assemble(name="trip", budget_tokens=100, query="Rome", summarise=True), ""),
        (note.Add(text="text", tags=("a", "b"), category="c"), ""),
        (note.Update(id="note-1", keywords=("k",), base=2), ""),
        (note.Search(query="Rome", tags=("a",), limit=3), ""),
    ]


def test_a_block_is_read_as_text_also_from_a_thread() -> None:
    async def scene() -> str:
        client = Client(Recorder(BlockData("Róma".encode(), 5)), "1")
        sync = SyncClient(client, asyncio.get_running_loop(), timeout_s=5)
        assert await client.memory.text("plan") == "Róma"
        return await asyncio.to_thread(sync.memory.text, "plan")

    assert asyncio.run(scene()) == "Róma"
