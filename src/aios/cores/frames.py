"""What the kernel and an engine process say to each other: length-prefixed MessagePack.

Both sides decode into exact types, so a frame of the wrong shape is an error where it arrives.
Knows no process, no socket and no engine.
"""

import struct
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from aios.context.snapshot import SnapshotRef, Tier
from aios.cores.base import CoreEvent, Failed, Generation, Progress, Traits
from aios.errors import CoreFailed, Damaged, InvalidArgument
from aios.syscalls.llm import Generate, Tokenize

FRAME_BYTES_MAX = 32 << 20
EVENTS_BYTES = 1 << 20  # a batch of events above this is sent in parts

T = TypeVar("T")

_LENGTH = struct.Struct("<I")


class EngineSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine process is told at its start.

    `factory` is an import path, `package.module:name`, of a callable that takes `settings` (plain
    data, converted to what the parameter's annotation says) and a `TierStore`, and returns an
    `Engine`. `owner` names the store: no two living engines have the same.
    """

    factory: str
    settings: dict[str, Any]
    ram: str
    disk: str
    ram_bytes: int
    disk_bytes: int
    owner: str


class Prepare(msgspec.Struct, frozen=True, tag=True):
    """Asks for the token ids of a prompt; `ticket` comes back with the answer."""

    ticket: int
    call: Generate | Tokenize


class Embed(msgspec.Struct, frozen=True, tag=True):
    """Asks for a text's vector; `ticket` comes back with the answer."""

    ticket: int
    text: str


class Start(msgspec.Struct, frozen=True, tag=True):
    generation: Generation
    progress: Progress = Progress()


class Stop(msgspec.Struct, frozen=True, tag=True):
    id: str
    to: Tier
    snapshot: SnapshotRef | None = None


class Drop(msgspec.Struct, frozen=True, tag=True):
    id: str
    snapshot: SnapshotRef | None = None


class Ping(msgspec.Struct, frozen=True, tag=True):
    """Asks for a `Pong`, given between two steps: an engine that hangs gives none."""


class Shutdown(msgspec.Struct, frozen=True, tag=True):
    """Asks the engine to finish what it writes and to exit."""


class Hello(msgspec.Struct, frozen=True, tag=True):
    """The engine serves. The first answer, or else `Refused`."""

    traits: Traits


class Refused(msgspec.Struct, frozen=True, tag=True):
    """The engine cannot serve at all; `code` is one of `aios.errors.ERRORS`."""

    code: str
    message: str


class Prepared(msgspec.Struct, frozen=True, tag=True):
    ticket: int
    token_ids: tuple[int, ...]


class Embedded(msgspec.Struct, frozen=True, tag=True):
    ticket: int
    vector: tuple[float, ...]


class AskFailed(msgspec.Struct, frozen=True, tag=True):
    """No answer to a `Prepare` or an `Embed`; `code` is one of `aios.errors.ERRORS`."""

    ticket: int
    code: str
    message: str


class Events(msgspec.Struct, frozen=True, tag=True):
    events: tuple[CoreEvent, ...]


class Pong(msgspec.Struct, frozen=True, tag=True):
    pass


Order = Prepare | Embed | Start | Stop | Drop | Ping | Shutdown
Answer = Hello | Refused | Prepared | Embedded | AskFailed | Events | Pong

_encode = msgspec.msgpack.Encoder().encode
_order: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
_answer: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


class Splitter:
    """Bytes as they come in, whole frames out."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that are whole now. Raises `Damaged` for one that is too long."""
        self._buffer += data
        frames = []
        at = 0
        while len(self._buffer) - at >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer, at)
            if length > FRAME_BYTES_MAX:
                raise Damaged(f"expected a frame of at most {FRAME_BYTES_MAX} bytes, got {length}")
            end = at + _LENGTH.size + length
            if end > len(self._buffer):
                break
            frames.append(bytes(self._buffer[at + _LENGTH.size : end]))
            at = end
        del self._buffer[:at]
        return frames


def frame(message: Order | Answer) -> bytes:
    """A message as it goes over the pipe. Raises `InvalidArgument` for one that is too long."""
    try:
        body = _encode(message)
    except (TypeError, ValueError, OverflowError, RecursionError) as problem:
        raise InvalidArgument(f"expected plain data: {problem}") from None
    if len(body) > FRAME_BYTES_MAX:
        raise InvalidArgument(f"expected at most {FRAME_BYTES_MAX} bytes, got {len(body)}")
    return _LENGTH.pack(len(body)) + body


def event_frames(events: Sequence[CoreEvent]) -> list[bytes]:
    """A batch in as many frames as it needs; what fits in none becomes that generation's end."""
    body = _encode(Events(tuple(events)))
    if len(body) <= EVENTS_BYTES or (len(events) == 1 and len(body) <= FRAME_BYTES_MAX):
        return [_LENGTH.pack(len(body)) + body]
    if len(events) > 1:
        half = len(events) // 2
        return event_frames(events[:half]) + event_frames(events[half:])
    what = f"one event of {len(body)} bytes; expected at most {FRAME_BYTES_MAX}"
    failed = Failed(id=getattr(events[0], "id", ""), code=CoreFailed.code, message=what)
    return event_frames([failed])


def order_in(body: bytes) -> Order:
    """The order in a frame. Raises `Damaged`."""
    return _decoded(_order, body)


def answer_in(body: bytes) -> Answer:
    """The answer in a frame. Raises `Damaged`."""
    return _decoded(_answer, body)


def _decoded(decoder: msgspec.msgpack.Decoder[T], body: bytes) -> T:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise Damaged(f"a frame of {len(body)} bytes is not as expected: {problem}") from None
