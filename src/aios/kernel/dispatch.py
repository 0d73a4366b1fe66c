"""From a checked syscall to its handler, its effects and its remembered outcome.

A handler that has effects runs in a task of its own where there is a journal: a caller who goes
away ends it before it commits, and never between what is durable and what RAM holds.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aios.errors import AiosError, InvalidArgument
from aios.journal.base import Journal, Work
from aios.kernel.keys import KEY, Keys, digest_of
from aios.kernel.outcome import PASSING, opened
from aios.kernel.process import Process
from aios.syscalls.base import Syscall
from aios.syscalls.llm import Completion, Delta, Stream

if TYPE_CHECKING:
    from aios.kernel.guard.guard import Entry, Guard

Kind = type[Syscall[Any]]
Reading = Callable[[Process, Any], Awaitable[Any]]
Handler = Callable[[Process, Any, Work], Awaitable[Any]]
# Commits nothing itself: its completion is committed before anybody has it.
Streaming = Callable[[Process, Stream, Work], AsyncGenerator[Delta | Completion, None]]
RoomHandler = Callable[[str, Any, Work], Awaitable[Any]]  # of an agent, not of a process


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """Handlers by kind. `readings` and `looks` have no effects, `handlers` and `rooms` may."""

    readings: Mapping[Kind, Reading]
    handlers: Mapping[Kind, Handler]
    looks: Mapping[Kind, RoomHandler]
    rooms: Mapping[Kind, RoomHandler]


class Dispatch:
    """What a call comes to where it is not remembered: through the guard, then its handler.

    A room answers an agent: the caller's own, or the one as which the guard lets the call act.
    """

    def __init__(self, tables: Tables, guard: "Guard", journal: Journal | None, keys: Keys) -> None:
        self.readings: Mapping[Kind, Reading] = {**tables.readings, **readings_of(tables.looks)}
        self._handlers = {**tables.handlers, **by_agent(tables.rooms)}
        self._as_owner = {**tables.looks, **tables.rooms}
        assert not set(self.readings) & set(self._handlers), "a syscall has one handler"
        self._guard = guard
        self._journal = journal
        self._keys = keys

    def answers(self, kind: Kind) -> bool:
        return kind in self.readings or kind in self._handlers

    def check(self, call: Syscall[Any]) -> None:
        """Raise `InvalidArgument` for what this kernel cannot answer."""
        kind = type(call)
        if not self.answers(kind):
            raise InvalidArgument(f"expected a syscall, got {kind.__name__}")

    async def once(
        self, process: Process, call: Syscall[Any], key: str, work: Work | None = None
    ) -> Any:
        """The reply to a call with a key: made now, or what it came to when it was made."""
        known = await self._keys.claim(process.pid, key, digest_of(call))
        if known is not None:
            return opened(type(call), known)
        recorder = self._keys.recorder(process.pid, key)
        work = work or Work(self._journal, name=f"{KEY}{key}")
        work.remember(recorder)
        try:
            return await self._remembered(process, call, work)
        finally:
            self._keys.release(recorder, is_kept=work.is_durable)

    async def streamed(
        self, process: Process, call: Stream, key: str, deltas: Streaming
    ) -> AsyncGenerator[Delta | Completion, None]:
        """As `once`, with deltas on the way where the call is made now."""
        known = await self._keys.claim(process.pid, key, digest_of(call)) if key else None
        if known is not None:
            yield opened(Stream, known)
            return
        recorder = self._keys.recorder(process.pid, key) if key else None
        work = Work(self._journal, name=f"{KEY}{key}" if key else "")
        if recorder is not None:
            work.remember(recorder)
        try:
            async with aclosing(self._guarded(process, call, work, deltas)) as items:
                async for item in items:
                    yield item
        except PASSING:
            raise
        except AiosError as error:
            if recorder is not None and not work.is_committed:
                await _to_the_end(work.fail(error))
            raise
        finally:
            if recorder is not None:
                self._keys.release(recorder, is_kept=work.is_durable)

    async def _guarded(
        self, process: Process, call: Stream, work: Work, deltas: Streaming
    ) -> AsyncGenerator[Delta | Completion, None]:
        """What the guard lets through, and its end told to the guard."""
        entry = self._guard.admit(process, call)
        if entry is not None:
            entry = await self._guard.ready(entry, work)
            self._guard.begin(entry, work)
        outcome: object = None
        try:
            async with aclosing(deltas(process, call, work)) as items:
                async for item in items:
                    if isinstance(item, Completion):
                        await _to_the_end(work.commit(item))
                        outcome = item
                    yield item
        except BaseException as error:
            if not isinstance(outcome, Completion):
                outcome = error
            raise
        finally:
            if entry is not None:
                self._guard.leave(entry, work, outcome)

    async def _remembered(self, process: Process, call: Syscall[Any], work: Work) -> Any:
        """The reply; what the call came to is remembered, unless it is an error of a moment."""
        try:
            return await self.answer(process, call, work)
        except PASSING:
            raise
        except AiosError as error:
            if not work.is_committed:
                await _to_the_end(work.fail(error))
            raise

    async def answer(self, process: Process, call: Syscall[Any], work: Work) -> Any:
        """The reply, once all effects of the call are durable."""
        if self._journal is None:
            return await self.handle(process, call, work)
        loop = asyncio.get_running_loop()
        end = loop.create_future()
        task = loop.create_task(self._handle_and_tell(end, process, call, work))
        try:
            await end  # Not the task: who cancels the caller would cancel that.
        except asyncio.CancelledError:
            work.is_unwanted = True
            await _ended(task, work)
            raise
        return task.result()

    async def _handle_and_tell(
        self, end: asyncio.Future[None], process: Process, call: Syscall[Any], work: Work
    ) -> Any:
        """This task is done by the time that whoever awaits `end` wakes up."""
        try:
            return await self.handle(process, call, work)
        finally:
            if not end.done():
                end.set_result(None)

    async def handle(
        self,
        process: Process,
        call: Syscall[Any],
        work: Work,
        own: Callable[..., Awaitable[Any]] | None = None,
    ) -> Any:
        """The same in the caller's own task; `own` answers in the handler's place."""
        perform = own or self._perform
        entry = self._guard.admit(process, call)
        if entry is None:
            return await perform(process, call, work, None)
        return await self._guard.through(entry, work, perform)

    async def read(self, entry: "Entry") -> Any:
        """A reading that the guard has something to say of."""
        return await self._guard.through(entry, Work(self._journal), self._perform)

    async def _perform(
        self, process: Process, call: Syscall[Any], work: Work, as_owner: str | None
    ) -> Any:
        kind = type(call)
        if as_owner is not None and kind in self._as_owner:
            reply = await self._as_owner[kind](as_owner, call, work)
        elif kind in self._handlers:
            reply = await self._handlers[kind](process, call, work)
        else:
            reply = await self.readings[kind](process, call)
        if not work.is_committed:
            await work.commit(reply)
        return reply


async def _ended(task: asyncio.Task[Any], work: Work) -> None:
    """Nobody is there to be told; what is not committed is cancelled."""
    while not task.done():
        if not work.is_committed:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait([task])
    if not task.cancelled():
        task.exception()  # Seen.


def readings_of(rooms: Mapping[Kind, RoomHandler]) -> dict[Kind, Reading]:
    """Handlers of rooms that commit nothing."""
    nothing = Work(None)

    def reading(room: RoomHandler) -> Reading:
        return lambda process, call: room(process.agent, call, nothing)

    return {kind: reading(room) for kind, room in rooms.items()}


def by_agent(rooms: Mapping[Kind, RoomHandler]) -> dict[Kind, Handler]:
    """Handlers of rooms that know agents and no processes."""

    def handler(room: RoomHandler) -> Handler:
        return lambda process, call, work: room(process.agent, call, work)

    return {kind: handler(room) for kind, room in rooms.items()}


async def _to_the_end(commit: Awaitable[None]) -> None:
    """Who goes away meanwhile leaves once it is known whether the outcome is durable."""
    task = asyncio.ensure_future(commit)
    was_cancelled = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            was_cancelled = True
    if was_cancelled and not task.cancelled():
        task.exception()  # Seen: the caller is not there to be told.
        raise asyncio.CancelledError
    task.result()
