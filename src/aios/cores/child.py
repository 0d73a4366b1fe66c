"""The engine process: `python -m aios.cores.child FD SPEC`. Knows no kernel, only its orders.

One thread: it takes the orders that wait, does one step, tells what came of it. It waits for
orders only while the engine is idle. Whatever libraries print goes to stdout and stderr, never
among the frames. It dies with its parent, and leaves ctrl-C and a polite kill to it.
"""

import ctypes
import importlib
import inspect
import os
import signal
import socket
import sys
import traceback
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from aios.context.snapshot import SnapshotRef, Tier
from aios.context.tiers import TierStore
from aios.cores import frames
from aios.cores.base import CoreEvent, Failed, Generation, Progress, Traits
from aios.errors import AiosError, CoreFailed, InvalidArgument
from aios.syscalls.llm import Generate, Tokenize

SEND_S = 600.0  # how long the kernel may leave answers unread
READ_BYTES = 1 << 18
_PR_SET_PDEATHSIG = 1


class Engine(Protocol):
    """What runs in the process. Called from one thread, never while it steps."""

    traits: Traits

    @property
    def is_idle(self) -> bool:
        """Whether nothing is to be done until the next order."""
        ...

    def prepare(self, call: Generate | Tokenize) -> tuple[int, ...]: ...

    def embed(self, text: str) -> tuple[float, ...]:
        """One text's vector. Everybody waits meanwhile, so an engine bounds what it reads."""
        ...

    def start(self, generation: Generation, progress: Progress) -> None: ...

    def stop(self, generation_id: str, to: Tier, snapshot: SnapshotRef | None) -> None: ...

    def drop(self, generation_id: str, snapshot: SnapshotRef | None) -> None: ...

    def step(self) -> list[CoreEvent]:
        """One token for each branch on a lane, or less; nothing where it is idle.

        An error here ends the process. Where only the disk is waited for, it may wait a little.
        """
        ...


class Child:
    """Joins one engine and one pipe."""

    def __init__(self, engine: Engine, pipe: "Pipe") -> None:
        self._engine = engine
        self._pipe = pipe
        self._is_open = True
        self._obey: dict[type[frames.Order], Callable[[Any], None]] = {
            frames.Prepare: lambda order: self._answer(
                order.ticket,
                lambda: frames.Prepared(order.ticket, tuple(engine.prepare(order.call))),
            ),
            frames.Embed: lambda order: self._answer(
                order.ticket, lambda: frames.Embedded(order.ticket, engine.embed(order.text))
            ),
            frames.Start: self._start,
            frames.Stop: lambda order: engine.stop(order.id, order.to, order.snapshot),
            frames.Drop: lambda order: engine.drop(order.id, order.snapshot),
            frames.Ping: lambda _: pipe.send(frames.Pong()),
            frames.Shutdown: self._shutdown,
        }

    def serve(self) -> None:
        """Until the kernel says so or is gone."""
        while self._is_open:
            orders = self._pipe.orders(wait=self._engine.is_idle)
            if orders is None:
                return
            for order in orders:
                self._obey[type(order)](order)
            self._pipe.tell(self._engine.step())

    def _answer(self, ticket: int, ask: Callable[[], frames.Answer]) -> None:
        try:
            answer = ask()
        except Exception as problem:  # A text that breaks the tokenizer must not end the rest.
            answer = frames.AskFailed(ticket, *_described(problem))
        self._pipe.send(answer)

    def _start(self, order: frames.Start) -> None:
        try:
            self._engine.start(order.generation, order.progress)
        except AiosError as problem:
            code, message = _described(problem)
            self._pipe.tell([Failed(id=order.generation.id, code=code, message=message)])

    def _shutdown(self, order: frames.Shutdown) -> None:
        self._is_open = False


class Pipe:
    """Orders in, answers out, on a connected socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._splitter = frames.Splitter()
        connection.settimeout(SEND_S)

    def orders(self, *, wait: bool) -> list[frames.Order] | None:
        """Those that are here, none if so be; with `wait` at least one. None: the kernel left."""
        self._connection.settimeout(None if wait else 0)
        found: list[frames.Order] = []
        try:
            while not found:
                data = self._connection.recv(READ_BYTES)
                if not data:
                    return None
                found = list(map(frames.order_in, self._splitter.feed(data)))
        except BlockingIOError:
            return found
        except ConnectionError:
            return None
        return found

    def tell(self, events: Sequence[CoreEvent]) -> None:
        """Send events, if there are any."""
        if events:
            self._send(b"".join(frames.event_frames(events)))

    def send(self, answer: frames.Answer) -> None:
        """Send one answer. Waits where the kernel reads slowly: its pace is ours."""
        self._send(frames.frame(answer))

    def _send(self, data: bytes) -> None:
        self._connection.settimeout(SEND_S)
        self._connection.sendall(data)


def main(fd: int, spec_json: str) -> int:
    """Build the engine, say so, and serve."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)  # A service manager sends these to kernel and engine.
    _die_with_parent()
    os.set_inheritable(fd, False)
    pipe = Pipe(socket.socket(fileno=fd))
    spec = msgspec.json.decode(spec_json, type=frames.EngineSpec)
    try:
        store = TierStore(
            ram=Path(spec.ram),
            disk=Path(spec.disk),
            ram_bytes=spec.ram_bytes,
            disk_bytes=spec.disk_bytes,
            owner=spec.owner,
        )
        engine = build(spec, store)
    except Exception as problem:
        traceback.print_exc()
        pipe.send(frames.Refused(*_described(problem)))
        return 1
    try:
        pipe.send(frames.Hello(engine.traits))
        Child(engine, pipe).serve()
    except (BrokenPipeError, ConnectionResetError):
        pass  # The kernel is gone, and with it everybody who would want to know.
    finally:
        store.close()
    return 0


def build(spec: frames.EngineSpec, store: TierStore) -> Engine:
    """Call the factory that `spec` names with settings of the type that it asks for."""
    module, _, name = spec.factory.partition(":")
    try:
        factory = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as problem:
        if f"{module}.".startswith(f"{problem.name}."):
            raise InvalidArgument(f"no engine {spec.factory!r}: {problem}") from None
        raise InvalidArgument(
            f"expected the extra `local`: pip install 'aios-kernel[local]' ({problem})"
        ) from None
    except (ImportError, AttributeError, ValueError) as problem:
        raise InvalidArgument(f"no engine {spec.factory!r}: {problem}") from None
    signature = factory.__init__ if inspect.isclass(factory) else factory
    kind = typing.get_type_hints(signature).get("settings", Any)
    try:
        settings = msgspec.convert(spec.settings, kind)
    except msgspec.ValidationError as problem:
        raise InvalidArgument(f"settings of {spec.factory}: {problem}") from None
    engine: Engine = factory(settings, store)
    return engine


def _described(problem: Exception) -> tuple[str, str]:
    if isinstance(problem, AiosError):
        return problem.code, problem.message
    return CoreFailed.code, f"{type(problem).__name__}: {problem}"


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2]))
