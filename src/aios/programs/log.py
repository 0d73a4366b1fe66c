"""What a program wrote: chunks of its two streams in one order, in files that are bounded together.

A position counts bytes of output since the program's start, whatever of it is still kept. Standard
library only: a keeper loads it. Readers and the one writer may be different processes.
"""

import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

SEGMENT_BYTES = 512 << 10
SEGMENTS_MAX = 16  # 8 MiB in all
STDOUT, STDERR = 1, 2

_HEAD = struct.Struct(">BI")  # the stream, and how many bytes follow


class Chunk(NamedTuple):
    """Some bytes of one stream."""

    stream: int
    data: bytes


class Part(NamedTuple):
    """What lies between two positions."""

    start: int
    end: int
    chunks: list[Chunk]


class Writer:
    """Appends; where the disk takes nothing, output is lost and the program goes on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.end = end_of(folder)
        self._file = -1
        self._size = 0
        self._open()

    def write(self, stream: int, data: bytes) -> None:
        if self._size + len(data) > SEGMENT_BYTES:
            self._open()
        whole = _HEAD.pack(stream, len(data)) + data
        try:
            is_whole = os.write(self._file, whole) == len(whole)
        except OSError:  # Also where there is no file to write to.
            is_whole = False
        if is_whole:
            self._size += len(data)
            self.end += len(data)
        else:
            self._size = SEGMENT_BYTES  # What is torn may only stand at the end of a file.

    def _open(self) -> None:
        """A new file, which says by its name at which position it begins; none where none can be.

        Whoever tidies up may have removed the folder while the program ran.
        """
        if self._file >= 0:
            os.close(self._file)
        self._file, self._size = -1, SEGMENT_BYTES
        path = self._folder / f"{self.end:020d}"
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            self._size = 0
        for _, old in _segments(self._folder)[:-SEGMENTS_MAX]:
            with suppress(OSError):
                old.unlink()


def read(folder: Path, start: int, bytes_max: int) -> Part:
    """From a position on, or from the oldest that is kept."""
    found: list[Chunk] = []
    begin = end = start
    room = bytes_max
    for at, path in _from(folder, start):
        position = at
        if not found and at > begin:
            begin = end = at  # What lay before is not kept any more.
        for chunk in _chunks(path):
            data = chunk.data[max(0, end - position) :][:room]
            position += len(chunk.data)
            if data:
                found.append(Chunk(chunk.stream, data))
                end += len(data)
                room -= len(data)
            if not room:
                return Part(begin, end, found)
    return Part(begin, end, found)


def last_lines(folder: Path, lines: int) -> int:
    """The position from which on there are so many lines, or fewer where no more are kept."""
    position = end_of(folder)
    if not lines:
        return position
    wanted, is_last = lines, True
    for _, path in reversed(_segments(folder)):
        for chunk in reversed(list(_chunks(path))):
            position -= len(chunk.data)
            at = len(chunk.data) - (1 if is_last and chunk.data.endswith(b"\n") else 0)
            is_last = False
            while (at := chunk.data.rfind(b"\n", 0, at)) >= 0:
                wanted -= 1
                if wanted <= 0:
                    return position + at + 1
    return position


def end_of(folder: Path) -> int:
    """The position of what will be written next."""
    parts = _segments(folder)
    return parts[-1][0] + sum(len(one.data) for one in _chunks(parts[-1][1])) if parts else 0


def _segments(folder: Path) -> list[tuple[int, Path]]:
    """Positions and files, oldest first."""
    try:
        return sorted((int(path.name), path) for path in folder.iterdir() if path.name.isdigit())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _from(folder: Path, start: int) -> list[tuple[int, Path]]:
    parts = _segments(folder)
    first = max((at for at, (begin, _) in enumerate(parts) if begin <= start), default=0)
    return parts[first:]


def _chunks(path: Path) -> Iterator[Chunk]:
    """The chunks of a file that are whole."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:  # It was the oldest of too many.
        return
    at = 0
    while at + _HEAD.size <= len(data):
        stream, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        if at + length > len(data):
            return
        yield Chunk(stream, data[at : at + length])
        at += length
