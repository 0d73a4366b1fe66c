"""The history family: conversations of an agent that grow, fork and roll back.

Every change is one commit of a few rows; what is read is read from the journal. `assemble` is the
assembler's work (`assembler.py`), with the messages from here.
"""

from aios.errors import Conflict, InvalidArgument, NotFound, QuotaExceeded, WrongState
from aios.journal.base import Journal, Work
from aios.memory.assembler import Assembler
from aios.memory.chain import START, Place
from aios.memory.history_store import HistoryStore
from aios.memory.locks import Locks
from aios.syscalls import history
from aios.syscalls.base import Ok

HISTORIES_MAX = 10_000  # of one agent
NOTHING = Place(START, 0)


class HistoryRoom:
    """Handlers of the history family."""

    def __init__(
        self, journal: Journal, assembler: Assembler, *, histories_max: int = HISTORIES_MAX
    ) -> None:
        self._store = HistoryStore(journal)
        self._assembler = assembler
        self._histories_max = histories_max
        self._locks = Locks()

    async def extend(self, agent: str, call: history.Extend, work: Work) -> history.History:
        async with self._locks.of(agent):
            head = await self._store.head(agent, call.name)
            length = head.depth if head else 0
            if call.base is not None and call.base != length:
                raise Conflict(
                    f"history {call.name!r} has {length} messages, not the {call.base} it was "
                    "extended from",
                    base=call.base,
                    current=length,
                )
            if head is None:
                await self._check_room(agent)
            head = await self._store.extend(work, head or NOTHING, call.messages)
            return await self._commit(work, agent, call.name, head)

    async def read(self, agent: str, call: history.Turns, work: Work) -> history.HistoryMessages:
        head = await self._head(agent, call.name)
        end = head.depth if call.end is None else min(call.end, head.depth)
        last = await self._store.at(head, end)
        messages = await self._store.messages(last, min(call.start, end))
        return history.HistoryMessages(tuple(messages), head.depth)

    async def fork(self, agent: str, call: history.Fork, work: Work) -> history.History:
        async with self._locks.of(agent):
            head = await self._head(agent, call.name)
            if await self._store.head(agent, call.to) is not None:
                raise WrongState(f"there is a history {call.to!r} already; `drop` removes it")
            await self._check_room(agent)
            place = await self._cut(call.name, head, call.at)
            return await self._commit(work, agent, call.to, place)

    async def rollback(self, agent: str, call: history.Rollback, work: Work) -> history.History:
        async with self._locks.of(agent):
            head = await self._head(agent, call.name)
            place = await self._cut(call.name, head, call.at)
            return await self._commit(work, agent, call.name, place)

    async def drop(self, agent: str, call: history.Drop, work: Work) -> Ok:
        async with self._locks.of(agent):
            await self._head(agent, call.name)
            self._store.drop(work, agent, call.name)
            reply = Ok()
            await work.commit(reply)
            return reply

    async def list(self, agent: str, call: history.Histories, work: Work) -> history.HistoryList:
        heads = await self._store.heads(agent)
        return history.HistoryList(tuple(_shown(name, head) for name, head in heads))

    async def assemble(self, agent: str, call: history.Assemble, work: Work) -> history.Assembled:
        if call.owner and call.query:
            raise InvalidArgument("query: expected none with an owner; notes are the caller's own")
        head = await self._head(agent, call.name)
        messages = await self._store.messages(head, 0)
        return await self._assembler.assemble(agent, call, messages)

    async def collect(self) -> bool:
        """Remove some of what no history leads to; whether there may be more."""
        return await self._store.collect()

    async def blobs(self) -> set[str]:
        """Every blob that some message needs; others may be swept away."""
        return await self._store.blobs()

    async def _commit(self, work: Work, agent: str, name: str, head: Place) -> history.History:
        self._store.put(work, agent, name, head)
        reply = _shown(name, head)
        await work.commit(reply)
        return reply

    async def _head(self, agent: str, name: str) -> Place:
        head = await self._store.head(agent, name)
        if head is None:
            raise NotFound(f"no history {name!r}; `list` shows those there are")
        return head

    async def _cut(self, name: str, head: Place, at: int | None) -> Place:
        if at is not None and at > head.depth:
            raise InvalidArgument(
                f"at: history {name!r} has {head.depth} messages; expected at most that, got {at}"
            )
        return head if at is None else await self._store.at(head, at)

    async def _check_room(self, agent: str) -> None:
        if await self._store.count(agent) >= self._histories_max:
            raise QuotaExceeded(
                f"agent {agent!r} has {self._histories_max} histories; no more are allowed"
            )


def _shown(name: str, head: Place) -> history.History:
    return history.History(name, head.depth, head.hash.hex())
