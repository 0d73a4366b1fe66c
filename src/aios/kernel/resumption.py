"""Generations that an earlier kernel began: they go on at once, and whoever asks joins them.

A result that nobody has asked for yet is kept in the journal. Knows no core.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aios.errors import AiosError, ShuttingDown
from aios.kernel.gate import Gate
from aios.kernel.kept import Kept, KeptGenerations
from aios.kernel.keys import digest_of
from aios.kernel.outcome import opened, sealed
from aios.kernel.process import Process
from aios.syscalls.llm import Completion, Generate

GoOn = Callable[[Process, Kept], Awaitable[Completion]]


@dataclass(frozen=True, slots=True, eq=False)
class Resumed:
    """One of them, and its result, whenever that comes."""

    kept: Kept
    result: asyncio.Future[Completion]


class Resumption:
    """Bounded by what was under way when the kernel stopped."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._known: dict[tuple[int, str], Resumed] = {}

    def find(self, pid: int, name: str, call: Generate) -> Resumed | None:
        """The generation that a process asks for again by its name."""
        known = self._known.get((pid, name)) if self._known and name else None
        return known if known is not None and known.kept.digest == digest_of(call) else None

    def take(self, known: Resumed) -> None:
        """Its result is given away."""
        self._known.pop((known.kept.pid, known.kept.name), None)

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
            return
        self._gate.reenter(process)
        group.create_task(self._run(process, known, store, go_on), name=f"generation {kept.id}")

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
                store.done(generation, sealed(completion))
            known.result.set_result(completion)
        finally:
            self._gate.leave(process)


def _seen(result: asyncio.Future[Completion]) -> None:
    if not result.cancelled():
        result.exception()  # Somebody may have asked for it, or nobody.
