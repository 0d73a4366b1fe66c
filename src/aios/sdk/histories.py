"""`client.history`: an agent's conversations. A method is named after its verb."""

from collections.abc import Sequence
from typing import TypedDict, Unpack

from aios.sdk.caller import Caller
from aios.sdk.generation import Prompt, messages_of
from aios.syscalls.base import Ok
from aios.syscalls.history import (
    Assemble,
    Assembled,
    Drop,
    Extend,
    Fork,
    Histories,
    History,
    HistoryList,
    HistoryMessages,
    Rollback,
    Turns,
)
from aios.syscalls.llm import Message


class AssembleOptions(TypedDict, total=False):
    """Every field of `Assemble` that is not the history or the budget."""

    query: str
    notes_max: int
    summarise: bool
    model: str
    owner: str


class HistoryClient:
    """The history family over one client."""

    def __init__(self, client: Caller) -> None:
        self._client = client

    async def extend(
        self,
        name: str,
        messages: Prompt,
        base: int | None = None,
        owner: str = "",
        key: str = "",
    ) -> History:
        """Add messages; a text is one message of the user."""
        call = Extend(name=name, messages=messages_of(messages), base=base, owner=owner)
        return await self._client.call(call, key=key)

    async def read(
        self, name: str, start: int = 0, end: int | None = None, owner: str = ""
    ) -> HistoryMessages:
        return await self._client.call(Turns(name=name, start=start, end=end, owner=owner))

    async def messages(self, name: str, owner: str = "") -> Sequence[Message]:
        """All messages; a convenience for `read`."""
        return (await self.read(name, owner=owner)).messages

    async def fork(self, name: str, to: str, at: int | None = None, owner: str = "") -> History:
        return await self._client.call(Fork(name=name, to=to, at=at, owner=owner))

    async def rollback(self, name: str, at: int, owner: str = "") -> History:
        return await self._client.call(Rollback(name=name, at=at, owner=owner))

    async def drop(self, name: str, owner: str = "") -> Ok:
        return await self._client.call(Drop(name=name, owner=owner))

    async def list(self) -> HistoryList:
        return await self._client.call(Histories())

    async def assemble(
        self, name: str, budget_tokens: int, **options: Unpack[AssembleOptions]
    ) -> Assembled:
        return await self._client.call(Assemble(name=name, budget_tokens=budget_tokens, **options))
