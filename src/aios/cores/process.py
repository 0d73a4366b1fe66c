"""A core whose engine is a child process: it may crash, and is started again. Loads no torch.

The reader of `events` drives all that takes time: it notices an engine that hangs, and restarts
one that died. What needs no time (an answer to `prepare`, a death) happens without it.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aios.context.snapshot import SnapshotRef, Tier
from aios.cores.base import (
    CoreEvent,
    Died,
    Generation,
    Progress,
    Ready,
    Traits,
    no_embeddings,
)
from aios.cores.frames import Drop, Embed, EngineSpec, Prepare, Start, Stop
from aios.cores.link import Link
from aios.errors import AiosError, CoreFailed, ShuttingDown
from aios.syscalls.llm import Generate, Tokenize

PREPARES_MAX = 256  # asked of the engine at once; more wait their turn
ASKS_MAX = 3  # engines that one prompt may see die before it is refused
DROPS_MAX = 256  # remembered for the next engine
PINGS = 4  # looks at a silent engine before it counts as hanging
BACKOFF_MAX_S = 10.0
_Asking = Callable[[int], Prepare | Embed]  # a ticket to what is asked under it


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long an engine may take, and how often it may die."""

    start_s: float = 300.0  # to load its model and say so
    silent_s: float = 120.0  # without any sign of life before it counts as hanging
    close_s: float = 10.0  # to exit when asked
    restarts_max: int = 5  # within `window_s`; one more and the core is given up
    window_s: float = 600.0
    backoff_s: float = 0.1  # before the first restart; doubles with each


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreStatistics:
    """What a core is doing."""

    pid: int
    is_up: bool
    restarts: int
    prepares_waiting: int
    orders_unsent_bytes: int
    batches_untaken: int


class ProcessCore:
    """Implements `Core`. Made by `launch`.

    Orders given between `Died` and `Ready` are discarded, because the engine that they were meant
    for is gone: whoever gives orders begins anew after `Ready`, with a `start` for each live
    generation. Only drops of snapshots, which outlive an engine, are told to the next one too.
    `prepare` asks the new engine. After a `Died` that is final the events end, and `prepare` and
    `start` raise `CoreFailed`.
    """

    def __init__(self, spec: EngineSpec, link: Link, patience: Patience) -> None:
        self._spec = spec
        self._link = link
        self._patience = patience
        self._traits = link.hello.result()
        self._deaths: deque[float] = deque()  # when, within the window
        self._restarts = 0
        self._is_greeted = False  # the reader of `events` was told the first Ready
        self._is_up = True  # as that reader knows it: from Ready to Died
        self._given_up = ""
        self._closing = asyncio.Event()
        self._changed = asyncio.Event()  # a new engine, or never again one
        self._dropped: deque[Drop] = deque(maxlen=DROPS_MAX)
        self._opening: asyncio.Task[Link] | None = None
        self._turn = asyncio.Semaphore(PREPARES_MAX)
        self._reading = asyncio.Semaphore(1)
        self._alone = asyncio.Lock()
        self._tickets = 0
        self._prepares = 0

    @classmethod
    async def launch(cls, spec: EngineSpec, patience: Patience = Patience()) -> "ProcessCore":
        """Start the engine. Raises its own error where it cannot serve, for a bad model say."""
        return cls(spec, await Link.open(spec, patience.start_s), patience)

    @property
    def traits(self) -> Traits:
        return self._traits

    @property
    def pid(self) -> int:
        """The engine process's number; the last one's while there is none."""
        return self._link.pid

    def statistics(self) -> CoreStatistics:
        """A look at the core."""
        return CoreStatistics(
            pid=self.pid,
            is_up=self._is_up and not self._link.is_lost,
            restarts=self._restarts,
            prepares_waiting=self._prepares,
            orders_unsent_bytes=self._link.unsent_bytes,
            batches_untaken=self._link.untaken_batches,
        )

    async def prepare(self, call: Generate | Tokenize) -> tuple[int, ...]:
        """Token ids of the prompt. `CoreFailed` where engine after engine dies of it."""
        self._prepares += 1
        try:
            found: tuple[int, ...] = await self._within_limit(
                self._turn, lambda ticket: Prepare(ticket, call)
            )
        finally:
            self._prepares -= 1
        return found

    async def embed(self, text: str) -> tuple[float, ...]:
        """A text's vector. One at a time: between two, everybody else has a step."""
        if not self._traits.embedding_width:
            raise no_embeddings(self._traits.model)
        found: tuple[float, ...] = await self._within_limit(
            self._reading, lambda ticket: Embed(ticket, text)
        )
        return found

    def start(self, generation: Generation, progress: Progress) -> None:
        """Raises `Busy` where the engine takes no orders for too long, `CoreFailed` for good."""
        self._check_usable()
        self._link.send(Start(generation, progress))

    def stop(self, generation_id: str, to: Tier, snapshot: SnapshotRef | None) -> None:
        """Never refused: it is small, and there are no more of them than generations."""
        self._link.send(Stop(generation_id, to, snapshot), may_refuse=False)

    def drop(self, generation_id: str, snapshot: SnapshotRef | None) -> None:
        """Never refused, as `stop`."""
        order = Drop(generation_id, snapshot)
        if snapshot is not None and snapshot.path:
            self._dropped.append(order)
        self._link.send(order, may_refuse=False)

    async def events(self) -> AsyncIterator[Sequence[CoreEvent]]:
        """Batches of events in order, until the core is closed or given up. One reader."""
        while not self._closing.is_set() and not self._given_up:
            batch = await self._next()
            if batch:
                yield batch

    async def close(self) -> None:
        """End the engine, politely if it listens. When this returns, no process is left."""
        self._closing.set()
        self._changed.set()
        self._link.dismiss()
        opening = self._opening
        if opening is not None:
            opening.cancel()
            await asyncio.wait({opening})
            if not opening.cancelled() and opening.exception() is None:
                self._link = opening.result()
        await self._link.end(self._patience.close_s)

    async def _within_limit(self, turn: asyncio.Semaphore, order: _Asking) -> Any:
        limit_s = self._patience.start_s + self._patience.silent_s
        try:
            async with asyncio.timeout(limit_s), turn:
                return await self._insist(order)
        except TimeoutError:
            raise CoreFailed(f"the engine gave no answer within {limit_s:g} s") from None

    async def _insist(self, order: _Asking) -> Any:
        """Ask again where the engine died: one at a time, for one prompt may be what kills it."""
        found = await self._ask(order)
        for _ in range(ASKS_MAX - 1):
            if found is not None:
                break
            async with self._alone:
                found = await self._ask(order)
        if found is None:
            self._check_usable()
            raise CoreFailed(f"{ASKS_MAX} engines died before they answered")
        return found

    async def _ask(self, order: _Asking) -> Any:
        link = await self._serving()
        self._tickets += 1
        answer = link.expect(self._tickets)
        try:
            link.send(order(self._tickets))
            return await answer
        finally:
            answer.cancel()

    async def _serving(self) -> Link:
        """The living engine, waited for where it is being replaced."""
        self._check_usable()
        while self._link.is_lost:
            self._changed.clear()
            await self._changed.wait()
            self._check_usable()
        return self._link

    def _check_usable(self) -> None:
        if self._closing.is_set():
            raise ShuttingDown("the core is closed")
        if self._given_up:
            raise CoreFailed(self._given_up)

    async def _next(self) -> Sequence[CoreEvent]:
        if not self._is_greeted:
            self._is_greeted = True
            return (Ready(),)
        batch = self._link.take()
        if batch:
            return batch
        if not self._link.is_lost:
            return await self._listen()
        if self._is_up:
            return self._died(await self._link.end(0.0))
        return await self._revive()

    async def _listen(self) -> Sequence[CoreEvent]:
        self._link.news.clear()
        try:
            async with asyncio.timeout(self._patience.silent_s / PINGS):
                await self._link.news.wait()
        except TimeoutError:
            self._link.check(self._patience.silent_s)
        return ()

    def _died(self, reason: str) -> Sequence[CoreEvent]:
        """Count a death, or a start in vain; one too many within the window is the last."""
        if self._closing.is_set():
            return ()
        was_up, self._is_up = self._is_up, False
        now = asyncio.get_running_loop().time()
        self._deaths.append(now)
        while self._deaths[0] < now - self._patience.window_s:
            self._deaths.popleft()
        if len(self._deaths) > self._patience.restarts_max:
            self._given_up = f"the engine was given up after {len(self._deaths)} deaths: {reason}"
            self._changed.set()
            return (Died(reason=self._given_up, final=True),)
        return (Died(reason=reason),) if was_up else ()

    async def _revive(self) -> Sequence[CoreEvent]:
        wait_s = min(BACKOFF_MAX_S, self._patience.backoff_s * 2 ** (len(self._deaths) - 1))
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._closing.wait()
                return ()
        return self._opened(await self._open())

    async def _open(self) -> asyncio.Task[Link]:
        """Start an engine, or wait for the start that a reader who left had begun."""
        if self._opening is None:
            starting = Link.open(self._spec, self._patience.start_s)
            self._opening = asyncio.get_running_loop().create_task(starting, name="engine start")
        await asyncio.wait({self._opening})
        opened, self._opening = self._opening, None
        return opened

    def _opened(self, start: asyncio.Task[Link]) -> Sequence[CoreEvent]:
        if self._closing.is_set():
            return ()  # `close` holds the task too, and ends what it made.
        try:
            self._link = start.result()
        except AiosError as problem:
            return self._died(problem.message)
        self._traits = self._link.hello.result()
        self._restarts += 1
        self._is_up = True
        for drop in self._dropped:
            self._link.send(drop, may_refuse=False)
        self._changed.set()
        return (Ready(),)
