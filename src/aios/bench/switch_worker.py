"""An engine in a process of its own, with a probe that keeps every row of logits. One door: `ask`.

It is driven step by step from outside, because a benchmark of switches must choose their moments.
"""

import time
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec

from aios.clock import WallClock
from aios.cores.base import (
    CoreEvent,
    Exactness,
    Failed,
    Finished,
    Suspended,
    Traits,
)
from aios.cores.frames import Drop, Refused, Start, Stop
from aios.errors import AiosError, CoreFailed, error_from
from aios.syscalls import Generate

ANSWER_S = 120.0


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine is started with. Engines that share folders take each other's snapshots."""

    model: str
    ram: str
    disk: str
    owner: str
    kv_bytes: int
    device: str = "cpu"
    ram_bytes: int = 512 << 20
    disk_bytes: int = 1 << 30
    lanes: int = 16


Order = Start | Stop | Drop


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """Carry out the orders, then step once, or until generation `until` has ended or rests."""

    orders: tuple[Order, ...] = ()
    until: str = ""


class Row(msgspec.Struct, frozen=True):
    """Logits, as float32, that the token at `position` of a branch's answer was chosen from."""

    generation: str
    branch: int
    position: int
    logits: bytes


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an `Ask`, how long the steps took, and for how long they had a processor."""

    events: tuple[CoreEvent, ...]
    rows: tuple[Row, ...]
    took_s: float
    cpu_s: float


class Prepare(msgspec.Struct, frozen=True, kw_only=True):
    call: Generate


class Renew(msgspec.Struct, frozen=True, kw_only=True):
    """Replace the engine by a new one, whose KV and prefix cache are empty."""

    spec: Spec


class Worker:
    """The parent's end. `send` and `receive` apart, so that two engines compute at once."""

    def __init__(self, spec: Spec) -> None:
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(spec, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self.exactness = Exactness.BEST_EFFORT  # until the engine says more
        self.device = spec.device  # as it was asked for, until the engine says what it is

    def wait_until_up(self) -> None:
        """Until the new engine has its model and has told its traits, once."""
        traits: Traits = self._receive()
        self.exactness, self.device = traits.exactness, traits.device

    def renew(self, spec: Spec) -> None:
        """Begin to replace the engine; `wait_until_up` waits for the new one."""
        self._pipe.send(Renew(spec=spec))

    def prepare(self, call: Generate) -> tuple[int, ...]:
        """Token ids of a call's prompt."""
        self._pipe.send(Prepare(call=call))
        found: tuple[int, ...] = self._receive()
        return found

    def ask(self, *orders: Order, until: str = "") -> Answer:
        """Send and receive."""
        self.send(Ask(orders=orders, until=until))
        return self.receive()

    def send(self, ask: Ask) -> None:
        self._pipe.send(ask)

    def receive(self) -> Answer:
        found: Answer = self._receive()
        return found

    def close(self) -> None:
        """End the process; whatever it holds is the benchmark's own and temporary."""
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def _receive(self) -> Any:
        try:
            if not self._pipe.poll(ANSWER_S):
                raise CoreFailed(f"the engine process gave no answer within {ANSWER_S:g} s")
            found = self._pipe.recv()
        except EOFError:
            raise CoreFailed("the engine process died") from None
        if isinstance(found, Refused):
            raise error_from(found.code, found.message)
        return found


def serve(spec: Spec, pipe: Connection) -> None:
    """The child's whole life."""
    try:
        engine = Driven(spec)
        pipe.send(engine.traits)
        while True:
            match pipe.recv():
                case Ask() as asked:
                    pipe.send(engine.answer(asked))
                case Prepare() as prompt:
                    pipe.send(engine.prepare(prompt.call))
                case Renew() as renewed:
                    engine = Driven(renewed.spec)
                    pipe.send(engine.traits)
    except EOFError:
        return  # The parent has what it wanted.
    except AiosError as error:
        pipe.send(Refused(code=error.code, message=error.message))


class Driven:
    """The real engine over the real tiers, and the rows that its probe was shown."""

    def __init__(self, spec: Spec) -> None:
        from aios.context.tiers import TierStore
        from aios.cores.torch.engine import Engine
        from aios.cores.torch.settings import Settings

        store = TierStore(
            ram=Path(spec.ram),
            disk=Path(spec.disk),
            ram_bytes=spec.ram_bytes,
            disk_bytes=spec.disk_bytes,
            owner=spec.owner,
        )
        settings = Settings(
            model=spec.model, kv_bytes=spec.kv_bytes, device=spec.device, lanes=spec.lanes
        )
        self._engine = Engine(settings, store, self._probe)
        self._rows: list[Row] = []
        self._clock = WallClock()
        self.traits = self._engine.traits
        self.prepare = self._engine.prepare

    def answer(self, asked: Ask) -> Answer:
        began, cpu_began = self._clock.now(), time.thread_time()
        for order in asked.orders:
            self._order(order)
        events = self._engine.step()
        while asked.until and not any(_ends(event, asked.until) for event in events):
            events += self._engine.step()
        took, cpu = self._clock.now() - began, time.thread_time() - cpu_began
        rows, self._rows = self._rows, []
        return Answer(events=tuple(events), rows=tuple(rows), took_s=took, cpu_s=cpu)

    def _order(self, order: Order) -> None:
        match order:
            case Start():
                self._engine.start(order.generation, order.progress)
            case Stop():
                self._engine.stop(order.id, order.to, order.snapshot)
            case Drop():
                self._engine.drop(order.id, order.snapshot)

    def _probe(self, generation: str, branch: int, position: int, logits: Any) -> None:
        data = logits.float().cpu().numpy().tobytes()
        self._rows.append(Row(generation, branch, position, data))


def _ends(event: CoreEvent, generation: str) -> bool:
    return isinstance(event, Finished | Failed | Suspended) and event.id == generation
