"""An engine that computes nothing and misbehaves on command, for the child process of a core.

Its token at a position is a pure function of prompt, seed and position. A prompt that begins with
an exclamation mark is a command, carried out when the generation's first token is due.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import xxhash
from msgspec.structs import replace

from aios.context.snapshot import Snapshot, SnapshotRef, Tier
from aios.context.tiers import TierStore
from aios.cores.base import (
    NOWHERE,
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
from aios.cores.torch.shelf import Saved, Shelf
from aios.errors import Damaged, InvalidArgument, NotFound
from aios.syscalls.llm import Choice, Delta, Generate, Message, Tokenize

BLOCK_TOKENS = 16


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
    produced: list[list[int]]  # of each branch; all are equally long
    prefilled: int = 0
    recomputed: str = ""


class ScriptedEngine:
    """Implements `Engine`."""

    def __init__(self, settings: Script, store: TierStore) -> None:
        print("the scripted engine is being built")  # noqa: T201 - as libraries do
        _START.get(settings.at_start, _nothing)(settings)
        self._shelf = Shelf(store)
        self._step_s = settings.step_s
        self._lanes: dict[str, Running] = {}
        self._device: dict[str, Running] = {}
        self._events: list[CoreEvent] = []
        self.traits = Traits(
            model=settings.model,
            exactness=Exactness.BITWISE,
            kv_export=True,
            beam=False,
            lanes=8,
            context_tokens=4_096,
            kv_tokens=1 << 16,
            block_tokens=BLOCK_TOKENS,
            fingerprint="scripted",
            device="cpu",
            embedding_width=2,
        )

    @property
    def is_idle(self) -> bool:
        return not (self._lanes or self._events or self._shelf.is_saving)

    def prepare(self, call: Generate | Tokenize) -> tuple[int, ...]:
        text = call.text if isinstance(call, Tokenize) else _text(call)
        _obey(text)
        ids = call.token_ids if isinstance(call, Generate) and call.token_ids else text.encode()
        if not 0 < len(ids) < self.traits.context_tokens:
            raise InvalidArgument(f"expected a prompt of some tokens, got {len(ids)}")
        if not all(0 <= one < 256 for one in ids):
            raise InvalidArgument("expected bytes as token ids")
        return tuple(ids)

    def embed(self, text: str) -> tuple[float, ...]:
        _obey(text)
        return (float(len(text)), float(sum(text.encode())))

    def start(self, generation: Generation, progress: Progress) -> None:
        if generation.decoding.max_tokens is None:
            raise InvalidArgument("expected max_tokens")
        self._settle(generation.id)
        running = self._device.pop(generation.id, None) or self._restored(generation, progress)
        self._lanes[generation.id] = running

    def stop(self, generation_id: str, to: Tier, snapshot: SnapshotRef | None) -> None:
        self._settle(generation_id)
        running = self._lanes.pop(generation_id, None) or self._device.pop(generation_id, None)
        if running is None:
            self._tell(Saved(generation_id, self._shelf.move(generation_id, to, snapshot), True))
            return
        tokens = len(running.produced[0])
        if to is Tier.DEVICE:
            self._device[generation_id] = running
            self._tell(Saved(generation_id, replace(NOWHERE, tokens=tokens), True))
            return
        kv = _kv(tokens)
        saved = Snapshot(
            generation=generation_id,
            fingerprint="scripted",
            state=msgspec.msgpack.encode((running.prefilled, running.produced)),
            kv_bytes=len(kv),
            kv_checksum=0,
            tokens=tokens,
        )
        assert self._shelf.try_save(saved, to, lambda room: _fill(room, kv), asked=True)

    def drop(self, generation_id: str, snapshot: SnapshotRef | None) -> None:
        self._shelf.settle(generation_id)
        self._lanes.pop(generation_id, None)
        self._device.pop(generation_id, None)
        self._shelf.forget(generation_id, snapshot)

    def step(self) -> list[CoreEvent]:
        if self._step_s and self._lanes:
            threading.Event().wait(self._step_s)
        for saved in self._shelf.take_saved():
            self._tell(saved)
        for running in list(self._lanes.values()):
            command = bytes(token for token in running.generation.prompt if token < 256).decode()
            COMMANDS.get(command, _nothing)(self, running)
            self._advance(running)
        told, self._events = self._events, []
        return told

    def _advance(self, running: Running) -> None:
        generation, produced = running.generation, running.produced
        at = len(produced[0])
        if at < (generation.decoding.max_tokens or 0):
            for branch, tokens in enumerate(produced):
                tokens.append(token_at(generation, at, branch))
            self._events.append(
                Advanced(
                    id=generation.id,
                    prefilled=len(generation.prompt) - running.prefilled,
                    produced=len(produced),
                    kv_tokens=-(-(at + 1) // BLOCK_TOKENS) * BLOCK_TOKENS,
                    deltas=tuple(_delta(branch, one[-1]) for branch, one in enumerate(produced)),
                )
            )
            running.prefilled = len(generation.prompt)
        if len(produced[0]) >= (generation.decoding.max_tokens or 0):
            self._lanes.pop(generation.id, None)
            self._shelf.forget(generation.id)
            self._events.append(finished(generation, produced, running.recomputed))

    def _restored(self, generation: Generation, progress: Progress) -> Running:
        told = [list(one) for one in progress.produced]
        told += [[] for _ in range(generation.decoding.branches - len(told))]
        ref = progress.snapshot
        if ref is None or not ref.path:
            return Running(generation, told)
        self._shelf.note(generation.id, ref)
        try:
            found = self._shelf.load(ref)
        except Damaged as problem:
            return Running(generation, told, recomputed=problem.message)
        prefilled, produced = msgspec.msgpack.decode(
            found.snapshot.state, type=tuple[int, list[list[int]]]
        )
        assert bytes(found.kv) == _kv(len(produced[0]))
        found.close()
        ahead = len(told[0]) > len(produced[0])
        return Running(generation, told if ahead else produced, prefilled)

    def _settle(self, name: str) -> None:
        saved = self._shelf.settle(name)
        if saved is not None:
            self._tell(saved)

    def _tell(self, saved: Saved) -> None:
        self._events.append(Suspended(id=saved.name, snapshot=saved.ref, asked=saved.asked))


def token_at(generation: Generation, position: int, branch: int = 0) -> int:
    """The token that the scripted engine chooses there."""
    text = f"{generation.prompt}|{generation.decoding.seed}|{position}|{branch}"
    return int(xxhash.xxh3_64_intdigest(text.encode()) % 1000)


def finished(
    generation: Generation, branches: Sequence[Sequence[int]], recomputed: str = ""
) -> Finished:
    """What the scripted engine tells at the end."""
    choices = tuple(
        Choice(
            index=index,
            message=Message(role="assistant", content="".join(map(_letter, tokens))),
            finish_reason="length",
            token_ids=tuple(tokens),
        )
        for index, tokens in enumerate(branches)
    )
    return Finished(id=generation.id, choices=choices, recomputed=recomputed)


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
    for fd in map(int, os.listdir("/proc/self/fd")):
        try:
            if os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"):
                os.write(fd, b"\xff" * bytes_count)
        except OSError:
            pass


def _obey(text: str) -> None:
    """Misbehave where a text that is only read says so."""
    if text == "!refuse":
        raise InvalidArgument("expected another prompt")
    if text == "!raise":
        raise ZeroDivisionError("a bug in a tokenizer")
    if text == "!die":
        os._exit(3)
    if text == "!hang":
        threading.Event().wait()


def _text(call: Generate) -> str:
    said = (one.content or "" for one in call.messages)
    return (call.prompt or "\n".join(said)).strip()


def _letter(token: int) -> str:
    return chr(97 + token % 26)


def _delta(branch: int, token: int) -> Delta:
    return Delta(index=branch, text=_letter(token), token_ids=(token,))


def _fill(room: memoryview, kv: bytes) -> None:
    room[:] = kv


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
    engine.drop(running.generation.id, None)
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
