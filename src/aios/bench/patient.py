"""A core that says the same word to everyone, each time after the same time, to any number at once.

Its clients' waits are known, so that what they wait longer is somebody else's doing.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

from aios.context.snapshot import SnapshotRef, Tier
from aios.cores.base import (
    NOWHERE,
    CoreEvent,
    Exactness,
    Finished,
    Generation,
    Progress,
    Ready,
    Suspended,
    Traits,
    no_embeddings,
)
from aios.syscalls import Choice, Generate, Message, Tokenize

PROMPT = (1, 2, 3)
ANSWER = Choice(index=0, message=Message("assistant", "yes"), finish_reason="stop", token_ids=(4,))


class PatientCore:
    """A `Core` whose answers take `answer_s`."""

    def __init__(self, answer_s: float, lanes: int) -> None:
        self._answer_s = answer_s
        self._lanes = lanes
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._events: list[CoreEvent] = [Ready()]
        self._news = asyncio.Event()
        self._is_closed = False

    @property
    def traits(self) -> Traits:
        return Traits(
            model="patient",
            exactness=Exactness.BITWISE,
            kv_export=False,
            beam=False,
            lanes=self._lanes,
            context_tokens=4_096,
            kv_tokens=1 << 30,
            block_tokens=16,
            fingerprint="patient-1",
            device="none",
        )

    async def prepare(self, call: Generate | Tokenize) -> tuple[int, ...]:
        return PROMPT

    async def embed(self, text: str) -> tuple[float, ...]:
        raise no_embeddings("patient")

    def start(self, generation: Generation, progress: Progress) -> None:
        loop = asyncio.get_running_loop()
        self._timers[generation.id] = loop.call_later(self._answer_s, self._finish, generation.id)

    def stop(self, generation_id: str, to: Tier, snapshot: SnapshotRef | None) -> None:
        self._forget(generation_id)
        self._tell(Suspended(id=generation_id, snapshot=NOWHERE))

    def drop(self, generation_id: str, snapshot: SnapshotRef | None) -> None:
        self._forget(generation_id)

    async def events(self) -> AsyncIterator[Sequence[CoreEvent]]:
        while not self._is_closed:
            if self._events:
                batch, self._events = self._events, []
                yield batch
            self._news.clear()
            if not self._events and not self._is_closed:
                await self._news.wait()

    async def close(self) -> None:
        self._is_closed = True
        self._news.set()

    def _finish(self, generation_id: str) -> None:
        self._forget(generation_id)
        self._tell(Finished(id=generation_id, choices=(ANSWER,)))

    def _forget(self, generation_id: str) -> None:
        timer = self._timers.pop(generation_id, None)
        if timer is not None:
            timer.cancel()

    def _tell(self, event: CoreEvent) -> None:
        self._events.append(event)
        self._news.set()
