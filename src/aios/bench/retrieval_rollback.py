"""Rolling files back: whether what comes back is what was written, byte for byte.

Files live through seeded histories, many at a time: text, binary, empty and appended contents,
moves also to where the file has been before, the bin and back, edits by hand past the kernel. The
bench keeps each version's bytes, and when it was acknowledged, in a record of its own. After every
change the file is rolled back, in one of the three ways in turn. That is exact if the syscall and
the real file on the disk both give the recorded bytes; a refusal is not.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import msgspec

from aios.bench.retrieval_home import Home, at_once
from aios.clock import WallClock
from aios.errors import AiosError
from aios.sdk.client import Client
from aios.syscalls.file import FileInfo, RollbackFile

BYTES_MAX = 6_000
ROUNDS = 12  # changes of each file, and as many rollbacks
PLACES = 3  # of each file, which it moves between
AGENT = "writer"
WAYS = ("steps", "time", "version")


class Rollbacks(msgspec.Struct, frozen=True, kw_only=True):
    """How many there were, of how many files, by way and by the change before; how many exact."""

    files: int
    asked: int
    exact: int
    ways: dict[str, int]
    changes: dict[str, int]
    versions: int  # of all files, read one by one in the end
    versions_exact: int

    @property
    def share(self) -> float:
        """1.0 only where every rollback was exact."""
        return self.exact / self.asked


@dataclass(frozen=True, slots=True)
class Version:
    """What the bench knows of a version; the next one was begun after `acknowledged`."""

    number: int
    data: bytes
    acknowledged: float  # seconds since the epoch


@dataclass(slots=True)
class _Tally:
    ways: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    exact: int = 0
    versions: int = 0
    versions_exact: int = 0


async def roll_back_all(home: Home, count: int, seed: int) -> Rollbacks:
    """Let `count` files of one agent live through their histories, many at the same time."""
    agent, tally = await home.agent(AGENT), _Tally()
    await at_once(range(count), lambda number: _Life(home, agent, (seed, number), tally).live())
    return Rollbacks(
        files=count,
        asked=tally.ways.total(),
        exact=tally.exact,
        ways=dict(tally.ways),
        changes=dict(tally.changes),
        versions=tally.versions,
        versions_exact=tally.versions_exact,
    )


def call_for(path: str, way: str, record: list[Version], wanted: int) -> RollbackFile:
    """The call that brings the version at place `wanted` of the record back, told in that way."""
    version = record[wanted]
    if way == "steps":
        return RollbackFile(path=path, steps=len(record) - 1 - wanted)
    if way == "time":
        return RollbackFile(path=path, time=version.acknowledged)
    return RollbackFile(path=path, version=version.number)


class _Life:
    """One file, wherever it is just now, and the record of its versions, oldest first."""

    def __init__(self, home: Home, agent: Client, seed: tuple[int, int], tally: _Tally) -> None:
        self._number = seed[1]
        self._files = agent.files
        self._call = agent.call
        self._root = home.files_of(AGENT)
        self._beside = home.folder / f"edited-{self._number}"  # in no agent's root
        self._rng = Random(f"{seed}")
        self._tally = tally
        self._clock = WallClock()
        self._place = 0
        self._data = b""  # what the file should have now
        self._record: list[Version] = []

    async def live(self) -> None:
        """Create, change and roll back; in the end read every version once more."""
        self._data = self._some_text()
        self._note(await self._files.create(self._path, self._data))
        self._note(await self._text())
        changes = self._changes()
        for turn in range(ROUNDS):
            name, change = changes[(turn + self._number) % len(changes)]
            self._note(await change())
            self._tally.changes[name] += 1
            await self._roll_back(WAYS[(turn + self._number // len(changes)) % len(WAYS)])
        for version in self._record:
            read = await self._files.read(self._path, version=version.number)
            self._tally.versions += 1
            self._tally.versions_exact += read.data == version.data

    def _changes(self) -> tuple[tuple[str, Callable[[], Awaitable[FileInfo]]], ...]:
        return (
            ("text", self._text),
            ("binary", self._binary),
            ("moved", self._move),
            ("empty", self._empty),
            ("edited in place outside", self._edit_in_place),
            ("deleted and restored", self._bin),
            ("appended", self._append),
            ("replaced outside", self._replace),
        )

    async def _roll_back(self, way: str) -> None:
        wanted = self._rng.randrange(len(self._record) - 1)
        call = call_for(self._path, way, self._record, wanted)
        self._data = self._record[wanted].data
        self._tally.ways[way] += 1
        try:
            self._note(await self._call(call))
            read = (await self._files.read(self._path)).data
        except AiosError:
            return
        real = await asyncio.to_thread(self._real.read_bytes)
        self._tally.exact += read == real == self._data

    def _note(self, info: FileInfo) -> None:
        """Put what is there now on record, if it is a version of its own."""
        if not self._record or info.version > self._record[-1].number:
            self._record.append(Version(info.version, self._data, self._clock.utc()))

    @property
    def _path(self) -> str:
        return f"drawer {self._place}/file {self._number}.dat"

    @property
    def _real(self) -> Path:
        return self._root / self._path

    async def _text(self) -> FileInfo:
        return await self._write(self._some_text())

    async def _binary(self) -> FileInfo:
        return await self._write(b"\0" + self._rng.randbytes(self._rng.randrange(BYTES_MAX)))

    async def _empty(self) -> FileInfo:
        return await self._write(b"")

    async def _write(self, data: bytes) -> FileInfo:
        self._data = data
        return await self._files.write(self._path, data)

    async def _append(self) -> FileInfo:
        more = self._some_text()
        self._data += more
        return await self._files.append(self._path, more)

    async def _move(self) -> FileInfo:
        old = self._path
        self._place = (self._place + 1) % PLACES
        return await self._files.move(old, self._path)

    async def _bin(self) -> FileInfo:
        deleted = await self._files.delete(self._path)
        return await self._files.restore(deleted.id)

    async def _edit_in_place(self) -> FileInfo:
        self._data += self._some_text()
        await asyncio.to_thread(self._real.write_bytes, self._data)
        return await self._files.stat(self._path)

    async def _replace(self) -> FileInfo:
        """As most editors save: a new file takes the old one's name."""
        self._data = self._some_text()
        await asyncio.to_thread(self._beside.write_bytes, self._data)
        await asyncio.to_thread(os.replace, self._beside, self._real)
        return await self._files.stat(self._path)

    def _some_text(self) -> bytes:
        lines = (f"line {self._rng.random()}" for _ in range(self._rng.randrange(1, 120)))
        return "\n".join(lines).encode()
