"""Frames between kernel, launcher and keepers: a JSON header, raw blobs, descriptors beside them.

Standard library only: the launcher loads nothing else. Knows no sandbox. A descriptor travels with
the first byte of its frame, so it is never later than the frame that speaks of it.
"""

import json
import os
import socket
import struct
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

FRAME_BYTES_MAX = 256 << 20
READ_BYTES = 1 << 18
FDS_MAX = 8  # beside one frame

_LENGTHS = struct.Struct("<II")  # of the header and of all blobs together


class Frame(NamedTuple):
    """What was said, its blobs in order, and the descriptors that came with it."""

    header: dict[str, Any]
    blobs: list[bytes]
    fds: list[int]


def packed(header: dict[str, Any], blobs: Sequence[bytes] = (), fds: Sequence[int] = ()) -> bytes:
    """A frame as it is sent. Raises `ValueError` for one that is too long."""
    body = sum(map(len, blobs))
    head = json.dumps({**header, "blobs": list(map(len, blobs)), "fds": len(fds)}).encode()
    if len(head) + body > FRAME_BYTES_MAX:
        raise ValueError(f"expected at most {FRAME_BYTES_MAX} bytes, got {len(head) + body}")
    return b"".join((_LENGTHS.pack(len(head), body), head, *blobs))


class Splitter:
    """Bytes and descriptors as they come in, whole frames out."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._fds: deque[int] = deque()

    def feed(self, data: bytes, fds: Sequence[int] = ()) -> list[Frame]:
        """The frames that are whole now. Raises `ValueError` for what no frame can be."""
        self._buffer += data
        self._fds.extend(fds)
        frames = []
        while (frame := self._next()) is not None:
            frames.append(frame)
        return frames

    def close(self) -> None:
        """Close the descriptors that nobody took."""
        while self._fds:
            os.close(self._fds.popleft())

    def _next(self) -> Frame | None:
        start = _LENGTHS.size
        if len(self._buffer) < start:
            return None
        head, body = _LENGTHS.unpack_from(self._buffer)
        if head + body > FRAME_BYTES_MAX:
            raise ValueError(f"expected at most {FRAME_BYTES_MAX} bytes, got {head + body}")
        end = start + head + body
        if len(self._buffer) < end:
            return None
        header = json.loads(bytes(self._buffer[start : start + head]))
        blobs, at = [], start + head
        for length in header["blobs"]:
            blobs.append(bytes(self._buffer[at : at + length]))
            at += length
        del self._buffer[:end]
        return Frame(header, blobs, [self._fds.popleft() for _ in range(header["fds"])])


class Channel:
    """One end of a connected stream socket; never blocks. What cannot be sent yet waits here."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._splitter = Splitter()
        self._unsent: deque[tuple[memoryview, list[int]]] = deque()

    def fileno(self) -> int:
        return self._connection.fileno()

    @property
    def has_unsent(self) -> bool:
        return bool(self._unsent)

    def send(
        self, header: dict[str, Any], blobs: Sequence[bytes] = (), fds: Sequence[int] = ()
    ) -> None:
        """Send a frame, or what of it goes now. The descriptors are ours to close, once sent."""
        self._unsent.append((memoryview(packed(header, blobs, fds)), list(fds)))
        self.flush()

    def flush(self) -> None:
        """Send what waits, as far as it goes. Raises `OSError` where nobody is there any more."""
        while self._unsent:
            data, fds = self._unsent[0]
            try:
                sent = socket.send_fds(self._connection, [data], fds)
            except BlockingIOError:
                return
            _close(fds)
            self._unsent.popleft()
            if sent < len(data):
                self._unsent.appendleft((data[sent:], []))

    def receive(self) -> list[Frame] | None:
        """The frames that are whole by now; None once the other side is gone."""
        try:
            data, fds, _, _ = socket.recv_fds(self._connection, READ_BYTES, FDS_MAX)
        except BlockingIOError:
            return []
        except ConnectionError:
            return None
        return self._splitter.feed(data, fds) if data else None

    def close(self) -> None:
        """Close the connection and every descriptor on its way."""
        for _, fds in self._unsent:
            _close(fds)
        self._unsent.clear()
        self._splitter.close()
        self._connection.close()


def _close(fds: list[int]) -> None:
    for fd in fds:
        os.close(fd)
