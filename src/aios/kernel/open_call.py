"""One LLM call from its arrival to its reply: its name, its deadline, its account.

Knows the run loop only to end the generation there; whoever leaves the `with` block has ended it.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from aios.cores.base import Traits
from aios.errors import Cancelled, DeadlineExceeded, InvalidArgument, ShuttingDown
from aios.journal.base import Work
from aios.kernel.generations import GenerationState, LiveGeneration
from aios.kernel.process import Process
from aios.kernel.runloop import RunLoop
from aios.syscalls.llm import Generate


class Meter(Protocol):
    """Budgets of tokens, as far as a generation knows them."""

    def asks(
        self, process: Process, call: Generate, traits: Traits, prompt: int, most: int, work: Work
    ) -> Awaitable[None] | None:
        """Wait for a human's yes to what it may take. None: nobody needs to be asked."""
        ...

    def generation(
        self, process: Process, traits: Traits, prompt: int, most: int
    ) -> "Metered | Awaitable[Metered] | None":
        """Hold what it may take at most. None: nothing limits it. An awaitable: it must wait."""
        ...


class Metered(Protocol):
    """What one generation holds."""

    def bind(self, work: Work) -> None:
        """From now on its completion settles it, in the commit of `work`."""
        ...

    def spend(self, prompt: int, produced: int) -> None:
        """It has ended, however: these tokens it took. Counts once."""
        ...


@dataclass(slots=True, kw_only=True)
class OpenCall:
    """Use as `with`. While it is open, its `call_id` is taken within its process."""

    process: Process
    call: Generate
    loop: RunLoop
    generation_id: str
    arrived: float
    patience_s: float  # for a call that names no deadline
    held: Metered | None = None
    _live: LiveGeneration | None = None
    _timer: asyncio.TimerHandle | None = None

    @property
    def call_id(self) -> str:
        """The caller's name for it; one without gets the generation's id, which none chooses."""
        return self.call.call_id or self.generation_id

    @property
    def deadline_s(self) -> float:
        return self.patience_s if self.call.deadline_s is None else self.call.deadline_s

    def left_s(self, now: float) -> float:
        """Seconds until its deadline."""
        return max(0.0, self.arrived + self.deadline_s - now)

    def watch(self, live: LiveGeneration, now: float) -> None:
        """From now on the deadline ends this generation."""
        self._live = live
        assert self.process.generations is not None
        self.process.generations[self.call_id] = live.job.id
        self._arm(self.left_s(now))

    def __enter__(self) -> Self:
        if self.process.generations is None:
            self.process.generations = {}
        if self.call_id in self.process.generations:
            raise InvalidArgument(f"call_id {self.call_id!r} names a live generation already")
        self.process.generations[self.call_id] = self.generation_id
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self.process.generations is not None
        del self.process.generations[self.call_id]
        if self._timer is not None:
            self._timer.cancel()
        if self._live is not None:
            self._end(self._live)
        elif self.held is not None:
            self.held.spend(0, 0)

    def _end(self, live: LiveGeneration) -> None:
        if not live.reply.cancel() and not live.reply.cancelled():
            live.reply.exception()  # Seen, also where a stream's reader left before it.
        self.loop.cancel(live.job.id, Cancelled("the caller went away"))
        self.process.prompt_tokens += len(live.generation.prompt)
        self.process.completion_tokens += live.tokens_out
        if self.held is not None:
            self.held.spend(*_taken(live))

    def _arm(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._expire)

    def _expire(self) -> None:
        assert self._live is not None
        if self._live.state is GenerationState.BLOCKED and self.call.deadline_s is None:
            self._arm(self.patience_s)  # Its process is paused; nobody promised to be quick.
            return
        late = DeadlineExceeded(f"no answer within {self.deadline_s} s")
        self.loop.cancel(self._live.job.id, late)


def _taken(live: LiveGeneration) -> tuple[int, int]:
    """Tokens of the prompt and of the answer that have been paid for with this kernel's work."""
    reply = live.reply
    error = None if not reply.done() or reply.cancelled() else reply.exception()
    goes_on_later = live.checkpoint is not None and isinstance(error, ShuttingDown)
    if live.started_at is None or goes_on_later:  # The next kernel pays for the whole of it.
        return 0, 0
    return len(live.generation.prompt), live.tokens_out
