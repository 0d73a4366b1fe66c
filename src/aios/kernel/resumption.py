"""Generations that an earlier kernel began: they go on at once, and whoever asks joins them.

A result that nobody has asked for yet is kept in the journal, within a number and an age, the same
as results that a key remembers. Knows no core.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aios.clock import Clock
from aios.config import Limits
from aios.errors import AiosError, ShuttingDown
from aios.kernel.gate import Gate
from aios.kernel.kept import Kept, KeptGenerations
from aios.kernel.keys import digest_of
from aios.kernel.outcome import opened, sealed
from aios.kernel.process import Process
from aios.syscalls.llm import Completion, Generate

GoOn = Callable[[Process, Kept], Awaitable[Completion]]


Name = tuple[int, str]  # a pid, and by which it asks


@dataclass(frozen=True, slots=True, eq=False)
class Resumed:
    """One of them, and its result, whenever that comes."""

    kept: Kept
    result: asyncio.Future[Completion]


@dataclass(frozen=True, slots=True)
class _Unasked:
    known: Resumed
    store: KeptGenerations
    at: float  # when the result came


class Resumption:
    """Bounded by what was under way when the kernel stopped."""

    def __init__(self, gate: Gate, clock: Clock, limits: Limits) -> None:
        self._gate = gate
        self._clock = clock
        self._limits = limits
        self._known: dict[Name, Resumed] = {}
        self._unasked: dict[str, _Unasked] = {}  # results by generation, oldest first

    def find(self, pid: int, name: str, call: Generate) -> Resumed | None:
        """The generation that a process asks for again by its name."""
        if not self._known or not name:
            return None
        self._expire()
        known = self._known.get((pid, name))
        return known if known is not None and known.kept.digest == digest_of(call) else None

    def take(self, known: Resumed) -> None:
        """Its result is given away."""
        name = (known.kept.pid, known.kept.name)
        if self._known.get(name) is known:  # Another model's may bear the same name.
            del self._known[name]
        self._unasked.pop(known.kept.id, None)

    def start(
        self,
        process: Process,
        kept: Kept,
        store: KeptGenerations,
        group: asyncio.TaskGroup,
        go_on: GoOn,
    ) -> None:
        """Let one go on in the background; or only know its result."""
        known = Resumed(kept, asyncio.get_running_loop().create_future())
        known.result.add_done_callback(_seen)
        self._known[kept.pid, kept.name] = known
        if kept.outcome:
            known.result.set_result(opened(Generate, kept.outcome))
            self._keep(known, store, kept.accepted)
            return
        self._gate.reenter(process)
        group.create_task(self._run(process, known, store, go_on), name=f"generation {kept.id}")

    def _keep(self, known: Resumed, store: KeptGenerations, at: float) -> None:
        """There is a result, since then, for which somebody may ask."""
        self._unasked[known.kept.id] = _Unasked(known, store, at)
        self._expire()

    def _expire(self) -> None:
        """Forget the results that are too old or too many."""
        too_old = self._clock.utc() - self._limits.results_age_s
        while self._unasked:
            oldest = next(iter(self._unasked.values()))
            if oldest.at >= too_old and len(self._unasked) <= self._limits.results_max:
                return
            oldest.store.drop(oldest.known.kept.id)
            self.take(oldest.known)

    async def _run(
        self, process: Process, known: Resumed, store: KeptGenerations, go_on: GoOn
    ) -> None:
        generation = known.kept.id
        try:
            completion = await go_on(process, known.kept)
        except ShuttingDown as stop:
            known.result.set_exception(stop)
        except AiosError as error:
            store.drop(generation)
            self.take(known)
            known.result.set_exception(error)
        else:
            if (known.kept.pid, known.kept.name) in self._known:
                now = self._clock.utc()
                store.done(generation, sealed(completion), now)
                self._keep(known, store, now)
            known.result.set_result(completion)
        finally:
            self._gate.leave(process)


def _seen(result: asyncio.Future[Completion]) -> None:
    if not result.cancelled():
        result.exception()  # Somebody may have asked for it, or nobody.
