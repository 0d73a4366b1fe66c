"""An engine that computes nothing and misbehaves on command, for the child process of a core.

Its token at a position is a pure function of prompt, seed and position. A prompt that begins with
an exclamation mark is a command, carried out when the generation's first token is due.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import xxhash

from aios.context.snapshot import Snapshot, SnapshotRef, Tier
from aios.context.tiers import TierStore
from aios.cores.base import (
    Advanced,
    CoreEvent,
    Exactness,
    Failed,
    Finished,
    Generation,
    Progress,
    Suspended,
    Traits,
)
from aios.cores.frames import EngineSpec
from aios.errors import Damaged, InvalidArgument, NotFound
from aios.syscalls.llm import Choice, Delta, Generate, Message, Tokenize

KV_BYTES_PER_TOKEN = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """`at_start` names a way not to start; `marker` is a file that makes it fail once more.

    A step takes `step_s` at least.
    """

    model: str
    step_s: float = 0.0
    at_start: str = ""
    marker: str = ""


@dataclass(slots=True)
class Running:
    generation: Generation
    produced: list[int] = field(default_factory=list)
    recomputed: str = ""


class ScriptedEngine:
    """Implements `Engine`."""

    def __init__(self, settings: Script, store: TierStore) -> None:
        print("the scripted engine is being built")  # noqa: T201 - as libraries do
        _START.get(settings.at_start, _nothing)(settings)
        self._store = store
        self._step_s = settings.step_s
        self._lanes: dict[str, Running] = {}
        self._device: dict[str, Running] = {}
        self._writing: dict[str, Future[SnapshotRef]] = {}
        self._events: list[CoreEvent] = []
        self.traits = Traits(
            model=settings.model,
            exactness=Exactness.BITWISE,
            kv_export=True,
            beam=False,
            lanes=8,
            context_tokens=1_000_000,
            kv_tokens=1_000_000,
            block_tokens=16,
            fingerprint="scripted",
            device="cpu",
        )

    @property
    def is_idle(self) -> bool:
        return not (self._lanes or self._events or self._writing)

    def prepare(self, call: Generate | Tokenize) -> tuple[int, ...]:
        text = call.prompt if isinstance(call, Generate) else call.text
        if text == "!refuse":
            raise InvalidArgument("expected another prompt")
        if text == "!raise":
            raise ZeroDivisionError("a bug in a tokenizer")
        if text == "!die":
            os._exit(3)
        if text == "!hang":
            threading.Event().wait()
        return tuple(text.encode())

    def start(self, generation: Generation, progress: Progress) -> None:
        if generation.decoding.max_tokens is None:
            raise InvalidArgument("expected max_tokens")
        if generation.id in self._device and progress.snapshot is None:
            self._lanes[generation.id] = self._device.pop(generation.id)
            return
        running = self._lanes[generation.id] = Running(generation)
        if progress.snapshot is not None:
            try:
                running.produced = self._restored(progress.snapshot)
                return
            except Damaged as problem:
                running.recomputed = problem.message
        running.produced = list(progress.produced[0]) if progress.produced else []

    def stop(self, generation_id: str, to: Tier) -> None:
        running = self._lanes.pop(generation_id, None) or self._device.pop(generation_id, None)
        if running is None:
            return
        if to is Tier.DEVICE:
            self._device[generation_id] = running
            ref = SnapshotRef(tier=to, path="", bytes=0, tokens=len(running.produced))
            self._events.append(Suspended(id=generation_id, snapshot=ref))
            return
        state = msgspec.msgpack.encode(running.produced)
        kv = _kv(len(running.produced))
        slot = self._store.open(
            Snapshot(
                generation=generation_id,
                fingerprint="scripted",
                state=state,
                kv_bytes=len(kv),
                kv_checksum=0,
                tokens=len(running.produced),
            ),
            to,
        )
        slot.kv[:] = kv
        self._writing[generation_id] = slot.commit_later()

    def drop(self, generation_id: str) -> None:
        self._lanes.pop(generation_id, None)
        self._device.pop(generation_id, None)

    def step(self) -> list[CoreEvent]:
        if self._step_s and self._lanes:
            threading.Event().wait(self._step_s)
        for one, writing in list(self._writing.items()):
            if writing.done():
                del self._writing[one]
                self._events.append(Suspended(id=one, snapshot=writing.result()))
        for running in list(self._lanes.values()):
            command = bytes(token for token in running.generation.prompt if token < 256).decode()
            COMMANDS.get(command, _nothing)(self, running)
            self._advance(running)
        told, self._events = self._events, []
        return told

    def _advance(self, running: Running) -> None:
        generation = running.generation
        most = generation.decoding.max_tokens
        assert most is not None
        token = token_at(generation, len(running.produced))
        running.produced.append(token)
        self._events.append(
            Advanced(
                id=generation.id,
                prefilled=0 if len(running.produced) > 1 else len(generation.prompt),
                produced=1,
                kv_tokens=len(running.produced),
                deltas=(Delta(index=0, text=chr(97 + token % 26), token_ids=(token,)),),
            )
        )
        if len(running.produced) >= most:
            del self._lanes[generation.id]
            self._events.append(finished(generation, running.produced, running.recomputed))

    def _restored(self, ref: SnapshotRef) -> list[int]:
        with self._store.load(ref) as loaded:
            produced = msgspec.msgpack.decode(loaded.snapshot.state, type=list[int])
            assert bytes(loaded.kv) == _kv(len(produced))
        self._store.remove(ref)
        return produced


def token_at(generation: Generation, position: int) -> int:
    """The token that the scripted engine chooses there."""
    text = f"{generation.prompt}|{generation.decoding.seed}|{position}"
    return int(xxhash.xxh3_64_intdigest(text.encode()) % 1000)


def finished(generation: Generation, tokens: list[int], recomputed: str = "") -> Finished:
    """What the scripted engine tells at the end."""
    message = Message(role="assistant", content="".join(chr(97 + one % 26) for one in tokens))
    choice = Choice(index=0, message=message, finish_reason="length", token_ids=tuple(tokens))
    return Finished(id=generation.id, choices=(choice,), recomputed=recomputed)


def spec_of(root: Path, *, at_start: str = "", marker: str = "", step_s: float = 0.0) -> EngineSpec:
    """What a child is told so that it runs the scripted engine."""
    return EngineSpec(
        factory="tests.scripted_engine:ScriptedEngine",
        settings={"model": "scripted", "at_start": at_start, "marker": marker, "step_s": step_s},
        ram=str(root / "ram"),
        disk=str(root / "disk"),
        ram_bytes=1 << 24,
        disk_bytes=1 << 24,
        owner="core-0",
    )


def garbage(bytes_count: int) -> None:
    """Break the protocol: write what is no frame to every socket of this process."""
    for fd in range(3, 64):
        try:
            if os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"):
                os.write(fd, b"\xff" * bytes_count)
        except OSError:
            pass


def _kv(tokens: int) -> bytes:
    return bytes(range(64)) * tokens


def _nothing(*_: object) -> None:
    pass


def _exit(engine: ScriptedEngine, running: Running) -> None:
    print("Fatal: out of tape", file=sys.stderr)  # noqa: T201
    sys.stderr.flush()
    os._exit(7)


def _raise(engine: ScriptedEngine, running: Running) -> None:
    raise ZeroDivisionError("a bug in a step")


def _hang(engine: ScriptedEngine, running: Running) -> None:
    threading.Event().wait()


def _kill(engine: ScriptedEngine, running: Running) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _print(engine: ScriptedEngine, running: Running) -> None:
    os.write(1, b"noise on stdout\n" * 20_000)
    os.write(2, b"noise on stderr\n" * 20_000)


def _garbage(engine: ScriptedEngine, running: Running) -> None:
    garbage(64)


def _flood(engine: ScriptedEngine, running: Running) -> None:
    """Tells a hundred tokens' news at once, and large ones."""
    one = running.generation.id
    delta = Delta(index=0, text="x" * 10_000)
    engine._events += [
        Advanced(id=one, prefilled=0, produced=0, kv_tokens=1, deltas=(delta,)) for _ in range(100)
    ]


def _giant(engine: ScriptedEngine, running: Running) -> None:
    """Tells one thing that fits in no frame."""
    engine.drop(running.generation.id)
    message = Message(role="assistant", content="x" * (33 << 20))
    choice = Choice(index=0, message=message, finish_reason="stop", token_ids=())
    engine._events.append(Finished(id=running.generation.id, choices=(choice,)))


def _fail(engine: ScriptedEngine, running: Running) -> None:
    engine._events.append(Failed(id=running.generation.id, code="busy", message="no room"))


COMMANDS: dict[str, Callable[[ScriptedEngine, Running], None]] = {
    "!exit": _exit,
    "!raise": _raise,
    "!hang": _hang,
    "!kill": _kill,
    "!print": _print,
    "!garbage": _garbage,
    "!flood": _flood,
    "!giant": _giant,
    "!fail": _fail,
}


def _refuse(settings: Script) -> None:
    raise NotFound(f"no model {settings.model!r}; known: none")


def _crash_at_start(settings: Script) -> None:
    print("cannot map the weights", file=sys.stderr)  # noqa: T201
    sys.stderr.flush()
    os._exit(9)


def _raise_at_start(settings: Script) -> None:
    raise ZeroDivisionError("a bug in a loader")


def _wait_for_ever() -> None:
    threading.Event().wait()


def _only_once(settings: Script) -> None:
    if Path(settings.marker).exists():
        raise NotFound("the weights are gone")
    Path(settings.marker).touch()


_START: dict[str, Callable[[Script], None]] = {
    "refuse": _refuse,
    "raise": _raise_at_start,
    "exit": _crash_at_start,
    "garbage": lambda settings: garbage(64),
    "hang": lambda settings: _wait_for_ever(),
    "only once": _only_once,
}
