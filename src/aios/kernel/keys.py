"""Idempotency: calls of one process with the same key are one call, made once, with one result.

In RAM stands which keys there are; the results lie in the journal, and without one in RAM. The
oldest are forgotten beyond a number and an age. Knows no syscall's meaning.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from aios.clock import Clock
from aios.config import Limits
from aios.errors import InvalidArgument
from aios.journal import statements
from aios.journal.base import Change, Journal
from aios.kernel.outcome import PASSING, sealed
from aios.kernel.waits import Waits
from aios.syscalls.base import Syscall
from aios.syscalls.codec import encode
from aios.syscalls.llm import Generate, Stream

KEY_MAX = 128
KEY = "key "  # begins the name of a call that has a key
EXPIRE_EACH = 256  # results that are forgotten in the journal at once


@dataclass(slots=True)
class _Kept:
    serial: int
    digest: bytes
    at: float
    outcome: bytes | None  # None: it lies in the journal


class Stamp(NamedTuple):
    """Where a result stands among all, and when it came."""

    serial: int
    at: float


Name = tuple[int, str]  # a pid and its key


def check_key(key: object) -> None:
    """Raise `InvalidArgument` for what cannot be a key."""
    if not isinstance(key, str):
        raise InvalidArgument(f"expected a key that is a str, got {type(key).__name__}")
    if len(key) > KEY_MAX:
        raise InvalidArgument(f"expected a key of at most {KEY_MAX} characters, got {len(key)}")
    try:
        key.encode()
    except UnicodeEncodeError as problem:
        raise InvalidArgument(f"expected a key that is valid Unicode: {problem}") from None


def digest_of(call: Syscall[object]) -> bytes:
    """Tells calls apart. How urgent a generation is, and for whom, makes no other call of it."""
    if isinstance(call, Stream):
        call = msgspec.structs.replace(call, generate=_patient(call.generate))
    elif isinstance(call, Generate):
        call = _patient(call)
    return hashlib.blake2b(encode(call), digest_size=16).digest()


class Keys:
    """Who comes with a key claims it, makes the call where nobody has, and gives the key back."""

    def __init__(self, journal: Journal | None, clock: Clock, waits: Waits, limits: Limits) -> None:
        self._journal = journal
        self._clock = clock
        self._waits = waits
        self._limits = limits
        self._open: dict[Name, bytes] = {}  # calls under way, their digests
        self._kept: OrderedDict[Name, _Kept] = OrderedDict()  # oldest first
        self._serial = 0
        self._expired: list[int] = []  # serials of results to forget in the journal

    async def load(self) -> None:
        """Learn which results the journal holds."""
        if self._journal is None:
            return
        for serial, pid, key, digest, at in await self._journal.read(statements.RESULTS_INDEX):
            assert isinstance(serial, int)
            self._kept[pid, key] = _Kept(serial, digest, at, None)  # type: ignore[index,arg-type]
            self._serial = serial

    async def claim(self, pid: int, key: str, digest: bytes) -> bytes | None:
        """What the call with this key came to; None: it is the caller's to make, and to release.

        Waits for one under way. Raises `InvalidArgument` where the key is another call's.
        """
        name = (pid, key)
        while True:
            self._expire()
            kept = self._kept.get(name)
            if kept is not None:
                _same(key, kept.digest, digest)
                outcome = kept.outcome or await self._read(name)
                if outcome is not None:
                    return outcome
            if name not in self._open:
                self._open[name] = digest
                return None
            _same(key, self._open[name], digest)
            await self._waits.wait(("key", pid, key), pid, None)

    def knows(self, pid: int, name: str) -> bool:
        """Whether the call that a generation bears the name of has its result."""
        key = name.removeprefix(KEY)
        return key != name and (pid, key) in self._kept

    def recorder(self, pid: int, key: str) -> "Recorder":
        """What remembers the outcome of a claimed call."""
        return Recorder(pid, key, self._open[pid, key], self._stamp)

    def release(self, recorder: "Recorder", *, is_kept: bool) -> None:
        """The call is over; `is_kept` tells whether its outcome is durable."""
        name = (recorder.pid, recorder.key)
        del self._open[name]
        if is_kept:
            in_ram = recorder.outcome if self._journal is None else None
            stamp = recorder.stamp
            self._kept[name] = _Kept(stamp.serial, recorder.digest, stamp.at, in_ram)
            self._kept.move_to_end(name)  # The youngest, where an older one stood too.
        self._waits.wake(("key", *name))

    def _stamp(self) -> Stamp:
        self._serial += 1
        return Stamp(self._serial, self._clock.utc())

    async def _read(self, name: Name) -> bytes | None:
        assert self._journal is not None
        rows = await self._journal.read(statements.RESULT_GET, *name)
        outcome = rows[0][0] if rows else None
        assert outcome is None or isinstance(outcome, bytes)
        return outcome

    def _expire(self) -> None:
        """Forget what is too old or one too many; in the journal, many at once."""
        too_old = self._clock.utc() - self._limits.results_age_s
        while self._kept:
            name, kept = next(iter(self._kept.items()))
            if kept.at >= too_old and len(self._kept) <= self._limits.results_max:
                break
            del self._kept[name]
            self._expired.append(kept.serial)
        if len(self._expired) >= EXPIRE_EACH:
            expired, self._expired = self._expired, []
            if self._journal is not None:
                self._journal.post([Change(statements.RESULT_EXPIRE, (one,)) for one in expired])


class Recorder:
    """Remembers the outcome of one call under a key, in the same commit as its effects."""

    def __init__(self, pid: int, key: str, digest: bytes, stamped: Callable[[], Stamp]) -> None:
        self.pid = pid
        self.key = key
        self.digest = digest
        self.outcome = b""
        self._stamped = stamped
        self._stamp: Stamp | None = None

    @property
    def stamp(self) -> Stamp:
        """There once there is an outcome."""
        assert self._stamp is not None
        return self._stamp

    def __call__(self, outcome: object) -> Sequence[Change]:
        if isinstance(outcome, PASSING):
            return []
        # Not when the call was made: a result is as old as it is known, however long it took.
        self._stamp = self._stamped()
        self.outcome = sealed(outcome)
        serial, at = self._stamp.serial, self._stamp.at
        row = (serial, self.pid, self.key, self.digest, at, self.outcome)
        return [Change(statements.RESULT_ADD, row)]


def _patient(call: Generate) -> Generate:
    return msgspec.structs.replace(call, deadline_s=None, priority=0, program="")


def _same(key: str, known: bytes, digest: bytes) -> None:
    if known != digest:
        raise InvalidArgument(
            f"key {key!r} is another call's; expected the same call, or a new key"
        )
