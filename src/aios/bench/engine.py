"""A strong engine without a kernel, as a reference: first come first served, continuous batching,
prefix cache, preemption of the youngest when KV runs out.

Drives a core by its own protocol: no processes, no gate, no policy object, no events. What the
kernel costs is measured against this.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar, cast

import msgspec

from aios.clock import Clock
from aios.context.snapshot import SnapshotRef
from aios.cores.base import Advanced, Core, Failed, Finished, Generation, Progress, Suspended
from aios.errors import InvalidArgument, error_from
from aios.syscalls import Completion, Delta, Generate, Stream, Syscall, Usage
from aios.syscalls.llm import Timing

R = TypeVar("R")
_AHEAD_BLOCKS = 2  # free blocks beside its prompt that a generation is begun with


@dataclass(slots=True, kw_only=True)
class _Work:
    """One generation, waiting or on a lane."""

    generation: Generation
    reply: "asyncio.Future[Completion]"
    arrived: float
    kv_tokens: int  # held, or needed to go on
    produced: list[int]
    began: float | None = None
    snapshot: SnapshotRef | None = None
    switches: int = 0


class EngineAlone:
    """A transport straight to a core. A token is nobody's: whoever asks is served in order."""

    def __init__(self, core: Core, clock: Clock) -> None:
        self.transport = self
        self.is_durable = False
        self._core = core
        self._clock = clock
        self._numbers = count(1)
        self._queue: deque[_Work] = deque()
        self._running: dict[str, _Work] = {}
        self._is_short = False  # of KV: nobody begins before somebody has ended
        self._reader: asyncio.Task[None] | None = None

    async def token(self, name: str) -> str:
        return name

    async def call(self, token: str, call: Syscall[R], *, key: str = "") -> R:
        if not isinstance(call, Generate):
            raise InvalidArgument(f"expected a generation, got {type(call).__name__}")
        if self._reader is None:
            self._reader = asyncio.create_task(self._read())
        arrived = self._clock.now()
        prompt = await self._core.prepare(call)
        seeded = msgspec.structs.replace(call.decoding, seed=call.decoding.seed or 0)
        work = _Work(
            generation=Generation(id=str(next(self._numbers)), prompt=prompt, decoding=seeded),
            reply=asyncio.get_running_loop().create_future(),
            arrived=arrived,
            kv_tokens=len(prompt),
            produced=[],
        )
        self._queue.append(work)
        self._admit()
        return cast(R, await work.reply)

    def stream(
        self, token: str, call: Stream, *, key: str = ""
    ) -> AsyncIterator[Delta | Completion]:
        raise InvalidArgument("expected a generation; the engine alone does not stream")

    async def close(self) -> None:
        await self._core.close()
        if self._reader is not None:
            await self._reader

    async def _read(self) -> None:
        async for batch in self._core.events():
            for event in batch:
                work = self._running.get(getattr(event, "id", ""))
                if work is not None:
                    self._hear(work, event)
            self._admit()

    def _hear(self, work: _Work, event: Any) -> None:
        match event:
            case Advanced():
                work.kv_tokens = event.kv_tokens
                for delta in event.deltas:
                    work.produced.extend(delta.token_ids)
            case Suspended():
                del self._running[event.id]
                work.snapshot = event.snapshot
                work.switches += 1
                self._queue.appendleft(work)
                self._is_short = True
            case Finished():
                self._end(work)
                work.reply.set_result(self._completion(work, event))
            case Failed():
                self._end(work)
                work.reply.set_exception(error_from(event.code, event.message))

    def _end(self, work: _Work) -> None:
        del self._running[work.generation.id]
        self._is_short = False

    def _admit(self) -> None:
        while self._queue and self._has_room(self._queue[0]):
            work = self._queue.popleft()
            self._running[work.generation.id] = work
            work.began = self._clock.now() if work.began is None else work.began
            produced = (tuple(work.produced),) if work.produced else ()
            self._core.start(work.generation, Progress(snapshot=work.snapshot, produced=produced))

    def _has_room(self, work: _Work) -> bool:
        traits = self._core.traits
        if not self._running:
            return True
        if self._is_short or len(self._running) >= traits.lanes:
            return False
        block = traits.block_tokens
        held = sum(-(-one.kv_tokens // block) + 1 for one in self._running.values())
        wanted = -(-work.kv_tokens // block) + _AHEAD_BLOCKS
        return (held + wanted) * block <= traits.kv_tokens

    def _completion(self, work: _Work, event: Finished) -> Completion:
        now = self._clock.now()
        began = now if work.began is None else work.began
        return Completion(
            call_id="",
            model=self._core.traits.model,
            choices=event.choices,
            usage=Usage(
                prompt_tokens=len(work.generation.prompt),
                completion_tokens=sum(len(choice.token_ids) for choice in event.choices),
                cached_tokens=event.cached_tokens,
            ),
            timing=Timing(
                wait_s=began - work.arrived,
                run_s=now - began,
                total_s=now - work.arrived,
                switches=work.switches,
            ),
            seed=0,
            exact=False,
        )
