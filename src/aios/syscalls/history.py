"""The history family: conversations that grow by a turn, fork, roll back, and fit a budget.

Messages are stored once by their content; a history is a chain of them, so a turn costs O(new
tokens), and a fork or a rollback O(1). A history belongs to an agent: `owner`, or the caller's own
where that is empty. Pure data.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from aios.syscalls.base import Ok, Syscall
from aios.syscalls.llm import TOKENS_MAX, Message
from aios.syscalls.memory import AgentName, Count, Name


class Extend(Syscall["History"], frozen=True, tag="history.extend"):
    """Add messages at the end; makes the history where it is not there.

    With `base`, the length the caller believes it has, a history that moved on meanwhile raises
    `Conflict`.
    """

    name: Name
    messages: Annotated[tuple[Message, ...], Meta(min_length=1, max_length=10_000)]
    base: Count | None = None
    owner: AgentName = ""


class Turns(Syscall["HistoryMessages"], frozen=True, tag="history.read"):
    """Messages `start` to `end` (exclusive; None: to the last)."""

    name: Name
    start: Count = 0
    end: Count | None = None
    owner: AgentName = ""


class Fork(Syscall["History"], frozen=True, tag="history.fork"):
    """A new history `to` that shares the first `at` messages (None: all) with `name`."""

    name: Name
    to: Name
    at: Count | None = None
    owner: AgentName = ""


class Rollback(Syscall["History"], frozen=True, tag="history.rollback"):
    """Keep the first `at` messages; the rest is gone from this history, not from its forks."""

    name: Name
    at: Count
    owner: AgentName = ""


class Drop(Syscall[Ok], frozen=True, tag="history.drop"):
    """Forget the history; what others share with it stays."""

    name: Name
    owner: AgentName = ""


class Histories(Syscall["HistoryList"], frozen=True, tag="history.list"):
    """The caller's histories by name."""


class Assemble(Syscall["Assembled"], frozen=True, tag="history.assemble"):
    """The messages for the next LLM call, within `budget_tokens` of `model`.

    Instructions (leading system messages) and the newest turns always come first in the claim to
    room; an assistant message with tool calls and the tool results that answer it stay together.
    `query` recalls notes into a system message, at most `notes_max` and a quarter of the budget:
    the caller's own and those that others share with it, so it goes with no `owner`.
    With `summarise` the turns that do not fit are summarised by the LLM into one message.
    """

    name: Name
    budget_tokens: Annotated[int, Meta(ge=1, le=TOKENS_MAX)]
    query: Annotated[str, Meta(max_length=10_000)] = ""
    notes_max: Annotated[int, Meta(ge=0, le=100)] = 8
    summarise: bool = False
    model: str = ""
    owner: AgentName = ""


class History(msgspec.Struct, frozen=True):
    """A history's name, its length in messages, and the id of its last message's node."""

    name: str
    length: int
    head: str


class HistoryMessages(msgspec.Struct, frozen=True):
    """Some messages of a history, and how many it has in all."""

    messages: tuple[Message, ...]
    length: int


class HistoryList(msgspec.Struct, frozen=True):
    """Histories in order of name."""

    histories: tuple[History, ...]


class LeftOut(msgspec.Struct, frozen=True):
    """Something that did not fit: a message's number or a note's id, its tokens, and why."""

    kind: Literal["message", "note"]
    id: str
    tokens: int
    why: str


class RecalledNote(msgspec.Struct, frozen=True):
    """A note that was weighed for the messages, be it left out: whose it is, and its id."""

    owner: str
    id: str


class Assembled(msgspec.Struct, frozen=True, kw_only=True):
    """Messages that take `tokens` as this model's chat template counts them."""

    messages: tuple[Message, ...]
    tokens: int
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[RecalledNote, ...] = ()
