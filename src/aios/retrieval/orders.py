"""What an index and its writer in another process say to each other: length-prefixed MessagePack.

One order, one answer. Both sides decode into exact types, so what has the wrong shape is an error
where it arrives.
"""

import socket
import struct
from collections.abc import Iterator, Sequence
from typing import TypeVar

import msgspec

from aios.errors import Damaged, InvalidArgument
from aios.retrieval.base import Document

MESSAGE_BYTES_MAX = 16 << 20
DOCUMENTS_CHARS = 1 << 18  # of texts in one order; one document may be longer
_LENGTH = struct.Struct("<I")
T = TypeVar("T")


class Put(msgspec.Struct, frozen=True, tag=True):
    documents: list[Document]


class PutVectors(msgspec.Struct, frozen=True, tag=True):
    """Vectors of float32, one behind the other."""

    ids: list[str]
    vectors: bytes


class Remove(msgspec.Struct, frozen=True, tag=True):
    ids: list[str]


class Tidy(msgspec.Struct, frozen=True, tag=True):
    pass


class Done(msgspec.Struct, frozen=True, tag=True):
    """The change is on disk. `is_more`: of `Tidy`."""

    numbers: list[int] = []
    is_more: bool = False


class Refused(msgspec.Struct, frozen=True, tag=True):
    """Nothing was changed; `code` is one of `aios.errors.ERRORS`."""

    code: str
    message: str


Order = Put | PutVectors | Remove | Tidy
Answer = Done | Refused

_encode = msgspec.msgpack.Encoder().encode
_order: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
_answer: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def send(pipe: socket.socket, message: Order | Answer) -> None:
    """Raises `OSError` where nobody takes it, `InvalidArgument` for what is too long."""
    body = _encode(message)
    if len(body) > MESSAGE_BYTES_MAX:
        raise InvalidArgument(f"expected at most {MESSAGE_BYTES_MAX} bytes, got {len(body)}")
    pipe.sendall(_LENGTH.pack(len(body)) + body)


def next_order(pipe: socket.socket) -> Order | None:
    """None: the other side is gone."""
    return _received(pipe, _order)


def next_answer(pipe: socket.socket) -> Answer | None:
    """None: the other side is gone."""
    return _received(pipe, _answer)


def puts(documents: Sequence[Document]) -> Iterator[Put]:
    """The documents in orders of a bounded size."""
    some: list[Document] = []
    chars = 0
    for document in documents:
        more = len(document.text) + len(document.title) + len(document.keywords)
        if some and chars + more > DOCUMENTS_CHARS:
            yield Put(some)
            some, chars = [], 0
        some.append(document)
        chars += more
    if some:
        yield Put(some)


def _received(pipe: socket.socket, decoder: msgspec.msgpack.Decoder[T]) -> T | None:
    head = _exactly(pipe, _LENGTH.size)
    if head is None:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > MESSAGE_BYTES_MAX:
        raise Damaged(f"expected a message of at most {MESSAGE_BYTES_MAX} bytes, got {length}")
    body = _exactly(pipe, length)
    if body is None:
        return None
    try:
        return decoder.decode(body)
    except msgspec.DecodeError as problem:
        raise Damaged(f"a message of {length} bytes is not as expected: {problem}") from None


def _exactly(pipe: socket.socket, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        some = pipe.recv(size - len(parts))
        if not some:
            return None
        parts += some
    return bytes(parts)
