"""How files are changed: lock, look, stage, commit, land. The one way for every change.

The commit is the change. Before it nothing that an agent or a person can see is touched; after it
nothing can fail any more, only be done later. So a caller that gives up, a full disk and a killed
kernel all leave either the old files or the new ones.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from aios.errors import AiosError, Busy, Denied, NoSpace
from aios.journal import statements as sql
from aios.journal.base import Value, Work
from aios.storage.draft import Draft
from aios.storage.intents import Intent, Job, Rename
from aios.storage.landing import Landing
from aios.storage.locks import Locks
from aios.storage.nodes import Node
from aios.storage.outside import Outside, Sight, View, refuse_strange
from aios.storage.paths import ROOT, FilePath, below, parents, top
from aios.storage.quota import check_bytes, check_files, overdue
from aios.storage.shop import Shop

T = TypeVar("T")
PUTS_AT_ONCE = 8  # contents of one change on their way to disk
TRIES = 8  # how often somebody outside may get ahead of a change


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(Generic[T]):
    """A change to make: what `stage` makes of a draft. `rename`: it is one move in one root."""

    agent: str
    paths: Collection[FilePath]
    work: Work
    stage: Callable[[Draft], Awaitable[T]]
    is_deep: bool = False  # Folders are taken with all that is in them.
    uses_bin: bool = False
    rename: Rename | None = None
    is_on_disk: bool = True  # False where only the journal's view changes: a mount.
    after: Callable[[], None] | None = None  # right after the commit


class Changes:
    """Makes changes, and takes over what was changed outside."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._locks = Locks()
        self._held: dict[str, list[tuple[int, int]]] = {}  # bytes and files of changes under way
        self._tasks: set[asyncio.Task[None]] = set()
        self._bins = Locks()  # taken after the paths' locks, and last
        self._landing = Landing(shop)
        self._outside = Outside(shop, self._landing)

    async def recover(self) -> None:
        """Finish what an earlier kernel had committed and not carried out."""
        intents = await self._intents()
        self._landing.load(intents)
        for intent in intents:
            await self._settle(intent)

    async def owed(self) -> set[str]:
        """Contents that the disk has not got yet."""
        return {sha for intent in await self._intents() for sha in intent.known}

    async def close(self) -> None:
        """Wait for the changes that have begun."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def make(self, order: Order[T]) -> T:
        """The change's reply, once it is made.

        A caller that leaves takes the change back before its commit, and never after it.
        """
        reply: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        reply.add_done_callback(_retrieved)
        task = asyncio.get_running_loop().create_task(self._run(order, reply))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        was_cancelled = False
        while not reply.done():
            try:
                await asyncio.wait([reply])
            except asyncio.CancelledError:
                was_cancelled = True
                if not order.work.is_committed:
                    task.cancel()
        if was_cancelled:
            raise asyncio.CancelledError
        return reply.result()

    async def _intents(self) -> list[Intent]:
        rows = await self._shop.journal.read(sql.FILE_INTENTS)
        return [msgspec.msgpack.decode(_bytes(body), type=Intent) for _, _, body in rows]

    async def take_over(self, agent: str, paths: Collection[FilePath]) -> list[FilePath]:
        """Make what somebody did outside at these paths part of the agent's files, folders above
        included. The paths that cannot be taken over now."""
        asked = _with_parents(paths)
        if not asked:
            return []
        # By the topmost name: somebody may have made several folders on the way.
        async with self._locks.hold(agent, sorted({top(path) for path in asked})):
            await self._settle_all(agent, asked)
            return await self._outside.adopt(agent, asked)

    async def survey(self, agent: str, folder: FilePath, until: float) -> View:
        """What is new outside in one folder."""
        return await self._outside.survey(agent, folder, until)

    async def refresh(self, agent: str, path: FilePath) -> None:
        """Before a read: see to it that the journal knows what is at a path."""
        await self._catch_up(agent, path)
        if changed := await self._outside.changed(agent, [path] if path else []):
            await self.take_over(agent, changed)

    async def refresh_folder(self, agent: str, folder: FilePath, *, deep: bool) -> None:
        """Before a folder is listed or taken as a whole."""
        await self.refresh(agent, folder)
        if changed := await self._outside.compare(agent, folder, deep=deep):
            await self.take_over(agent, changed)

    async def catch_up(self) -> None:
        """Try again what disks did not take."""
        for agent in self._landing.owed():
            await self._catch_up(agent, ROOT)

    async def _catch_up(self, agent: str, path: FilePath) -> None:
        """Try again what the disk did not take at, above or below a path, if it does now."""
        owed = [one for one in self._landing.behind(agent) if _concerns(one, [path])]
        if not owed:
            return
        tops = {top(FilePath(effect.path)) for intent in owed for effect in intent.effects}
        async with self._locks.hold(agent, sorted(tops)):
            with suppress(AiosError):
                await self._settle_all(agent, sorted(tops))

    async def _run(self, order: Order[T], reply: asyncio.Future[T]) -> None:
        try:
            await self._when_current(order, reply)
        except asyncio.CancelledError:
            reply.cancel()
            raise
        except Exception as problem:
            # After the reply only the notes about it can fail; they are made at the next look.
            if reply.done() and not isinstance(problem, AiosError):
                raise
            if not reply.done():
                reply.set_exception(problem)

    async def _when_current(self, order: Order[T], reply: asyncio.Future[T]) -> None:
        """Make the change while nobody else may, and on what is there now, also from outside."""
        left: set[FilePath] = set()
        for _ in range(TRIES):
            scope = await self._scope(order)
            async with self._locks.hold(order.agent, scope):
                await self._settle_all(order.agent, order.paths)
                here = await self._outside.sight(order.agent, _with_parents(order.paths))
                changed = await self._changed(order, here, left)
                if not changed and scope == _to_lock(order.paths, here.nodes):
                    await self._change(order, here, reply)
                    return
            left |= set(await self.take_over(order.agent, changed))
            if refused := left.intersection(_with_parents(order.paths)):
                raise Denied(f"{min(refused)!r} was put there from outside and cannot be read")
        raise Busy("these files keep being changed outside")

    async def _scope(self, order: Order[T]) -> list[FilePath]:
        """What to lock: the paths, or above each the first folder that has to be made."""
        above = {one for path in order.paths for one in parents(path)}
        there = await self._shop.catalog.many(order.agent, above) if above else {}
        return _to_lock(order.paths, there)

    async def _changed(self, order: Order[T], here: Sight, left: set[FilePath]) -> list[FilePath]:
        """Where the disk has something else than the journal, in what this change is about."""
        found = self._outside.differing(order.agent, here)
        if order.is_deep:
            for path in order.paths:
                found += await self._outside.compare(order.agent, path, deep=True)
        return [path for path in found if path not in left]

    async def _change(self, order: Order[T], here: Sight, reply: asyncio.Future[T]) -> None:
        agent = order.agent
        refuse_strange(here)
        async with AsyncExitStack() as stack:
            if order.uses_bin:
                await stack.enter_async_context(self._bins.hold(agent, [ROOT]))
            draft = self._shop.draft(agent, agent)
            draft.learn(here.nodes, here.seen)  # Nobody else changes these paths meanwhile.
            result = await order.stage(draft)
            await self._make_room(order, draft, stack)
            stack.enter_context(self._hold(agent, draft))
            effects = tuple(draft.effects()) if order.is_on_disk else ()
            intent = Intent(id=self._shop.new_id(), agent=agent, effects=effects)
            jobs = await self._commit(order, draft, intent, result)
            if order.after is not None:
                order.after()
        if not intent.effects:
            reply.set_result(result)
            return
        landed = await self._landing.land(intent, jobs, order.rename)
        reply.set_result(result)
        await self._landing.close(intent, landed)
        await self._outside.adopt(agent, landed.strange)

    async def _commit(
        self, order: Order[T], draft: Draft, intent: Intent, result: T
    ) -> Sequence[Job]:
        """New contents first, so that whatever the journal names is there."""
        jobs = await self._prepare(draft, intent) if order.rename is None else ()
        try:
            for statement, values in draft.rows():
                order.work.add(statement, *values)
            if intent.effects:
                body = msgspec.msgpack.encode(intent)
                order.work.add(sql.FILE_INTENT_PUT, intent.id, order.agent, body)
            await order.work.commit(result)
            self._shop.changed()
        except BaseException:
            await self._landing.drop(jobs)
            raise
        return jobs

    async def _prepare(self, draft: Draft, intent: Intent) -> Sequence[Job]:
        """Contents into blobs and, at the same time, aside on their own disk."""
        jobs, put = await asyncio.gather(
            self._landing.stage(intent, draft), self._put(draft), return_exceptions=True
        )
        if isinstance(jobs, BaseException):
            raise jobs
        if isinstance(put, BaseException):
            await self._landing.drop(jobs)
            raise put
        return jobs

    async def _put(self, draft: Draft) -> None:
        blobs, contents = self._shop.journal.blobs, list(draft.contents.values())
        for start in range(0, len(contents), PUTS_AT_ONCE):
            await asyncio.gather(*map(blobs.put, contents[start : start + PUTS_AT_ONCE]))

    async def _make_room(self, order: Order[T], draft: Draft, stack: AsyncExitStack) -> None:
        """Keep to the limits; what is in the bin makes way for what is new, the oldest first."""
        agent, limits = order.agent, self._shop.limits
        used, files = await self._usage(agent)
        check_files(files, draft.files_more, limits)
        room = limits.bytes_max - used
        is_short = draft.bytes_more > max(room, 0)
        if is_short and not order.uses_bin:
            await stack.enter_async_context(self._bins.hold(agent, [ROOT]))
        if is_short or order.uses_bin:
            await self._empty_bin(draft, room)
        check_bytes(used, draft.bytes_more, limits)

    async def _empty_bin(self, draft: Draft, room: int) -> None:
        deletions = await self._shop.catalog.deletions(draft.author.agent)
        there = [one for one in deletions if one.id not in draft.restored]
        going = overdue(there, draft.author.now, self._shop.limits)
        for one in going:
            await draft.purge(one)
        for one in reversed(there):
            if one not in going and draft.bytes_more > max(room, 0):
                await draft.purge(one)

    async def _usage(self, agent: str) -> tuple[int, int]:
        """What an agent has, with what changes under way will add."""
        used, files = await self._shop.catalog.usage(agent)
        held = self._held.get(agent, [])
        return used + sum(one[0] for one in held), files + sum(one[1] for one in held)

    @contextmanager
    def _hold(self, agent: str, draft: Draft) -> Iterator[None]:
        mine = (max(draft.bytes_more, 0), max(draft.files_more, 0))
        held = self._held.setdefault(agent, [])
        held.append(mine)
        try:
            yield
        finally:
            held.remove(mine)
            if not held:
                self._held.pop(agent, None)

    async def _settle_all(self, agent: str, paths: Collection[FilePath]) -> None:
        """Carry out what the disk still owes at these paths, or refuse to go on."""
        for intent in self._landing.behind(agent):
            if _concerns(intent, paths):
                await self._settle(intent)
        if any(_concerns(intent, paths) for intent in self._landing.behind(agent)):
            raise NoSpace("the disk under the files does not take an earlier change yet")

    async def _settle(self, intent: Intent) -> None:
        landed = await self._landing.settle(intent)
        await self._landing.close(intent, landed)


def _concerns(intent: Intent, paths: Collection[FilePath]) -> bool:
    mine = [FilePath(effect.path) for effect in intent.effects]
    return any(below(one, path) or below(path, one) for one in mine for path in paths)


def _to_lock(paths: Collection[FilePath], there: Mapping[FilePath, Node]) -> list[FilePath]:
    """The paths, or above each the first folder that is not there."""
    return sorted(next((one for one in parents(path) if one not in there), path) for path in paths)


def _with_parents(paths: Collection[FilePath]) -> list[FilePath]:
    return sorted({*paths, *(one for path in paths for one in parents(path))})


def _retrieved(reply: asyncio.Future[Any]) -> None:
    """A reply that nobody waits for any more is no error."""
    if not reply.cancelled():
        reply.exception()


def _bytes(value: Value) -> bytes:
    assert isinstance(value, bytes), "the column is a blob"
    return value
