"""One bit of a home flips while no kernel runs; the next kernel must notice it or not be touched.

A flip is noticed where starting or reading raises `Damaged`, where `aios journal check` names it,
or where a reply says that it was recomputed. It is harmless where the judge finds everything as it
was all the same, and unnoticed where anything else comes back. Bits are drawn from what carries
data: any byte of the database, the commits in a write-ahead log that a killed kernel left, blobs
that something needs, and the snapshot of a generation that a stopped kernel left.
"""

import asyncio
import multiprocessing
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from aios.errors import AiosError, Damaged, ShuttingDown
from aios.journal import statements
from aios.journal.check import check
from aios.journal.connection import connect
from aios.journal.database import counted
from aios.journal.disk import Disk
from aios.journal.layout import Layout
from aios.journal.wal import FRAME_BYTES, HEADER_BYTES, survey
from aios.journal.witness import Witness
from aios.kernel.kernel import Kernel
from aios.syscalls import Completion, Decoding, Generate
from aios.testing.answers import invented
from aios.testing.crowd import Crowd, programs
from aios.testing.disk_store import DiskStore
from aios.testing.faults import flip
from aios.testing.homes import kernel_in, scripted
from aios.testing.judge import Judge
from aios.testing.ledger import Ledger
from aios.testing.outside import Outside
from aios.testing.victim import SLOW_ENOUGH, Life, live

CLIENTS = 5
WORK_S = 0.5  # of the kernel whose home is flipped
LIVES_MAX = 20  # until one leaves a log with something that is not in the database yet
HALF_S = 0.03  # of the long generation's time
LIMIT_S = 60.0
LONG_TOKENS = 60
LONG = Generate(token_ids=(1, 2, 3), decoding=Decoding(max_tokens=LONG_TOKENS, seed=1))
LONG_KEY = "the long one"
SCRIPT = replace(SLOW_ENOUGH, answer_tokens=(LONG_TOKENS, LONG_TOKENS), deltas=True)


class Place(StrEnum):
    """Where a bit flips."""

    DATABASE = "database"
    LOG = "log"
    BLOB = "blob"
    SNAPSHOT = "snapshot"


class Outcome(StrEnum):
    """What became of a flip."""

    RAISED = "raised"  # `Damaged`, at the start or to whoever read
    NAMED = "named"  # by `aios journal check` alone: nobody had read it yet
    RECOMPUTED = "recomputed"
    HARMLESS = "harmless"
    UNNOTICED = "unnoticed"


NOTICED = (Outcome.RAISED, Outcome.NAMED, Outcome.RECOMPUTED)


class Flips(msgspec.Struct, frozen=True, kw_only=True):
    """How often each outcome came, by place."""

    outcomes: dict[str, dict[str, int]]
    unnoticed: tuple[str, ...]

    def count(self, *outcomes: Outcome) -> int:
        """Over all places."""
        return sum(found.get(one, 0) for found in self.outcomes.values() for one in outcomes)


def flip_bits(each: int, seed: int) -> Flips:
    """So many flips at each place, every one in a fresh copy of the same home."""
    outcomes: dict[Place, Counter[str]] = {place: Counter() for place in Place}
    unnoticed: list[str] = []
    with TemporaryDirectory(prefix="aios-flips-") as name:
        yard = _Yard(Path(name), seed)
        for place in Place:
            for number, spot in enumerate(yard.spots(place, each)):
                outcome = yard.outcome(place, spot)
                outcomes[place][outcome] += 1
                if outcome is Outcome.UNNOTICED:
                    unnoticed.append(f"{place} flip {number} of seed {seed}: {spot}")
    return Flips(
        outcomes={place: dict(found) for place, found in outcomes.items()},
        unnoticed=tuple(unnoticed),
    )


@dataclass(frozen=True, slots=True)
class Spot:
    """A bit of a file of the home."""

    file: str
    bit: int


class _Yard:
    """Homes as their kernels left them, and a place where copies of them are damaged.

    Every copy lies where its home lay: the journal knows snapshots by their path.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder / "place"
        self._chance = Random(seed)
        self._seed = seed
        self._killed, self._closed = folder / "killed", folder / "closed"
        self._folder.mkdir()
        journal = Layout(self._folder / "home" / "journal")
        for life in range(LIVES_MAX):
            _kill_at_work(self._folder, seed + life)
            if _log_end(journal.log) > HEADER_BYTES and not _is_in_database(journal):
                break
        shutil.copytree(self._folder, self._killed)
        asyncio.run(_come_to_rest(self._folder))
        shutil.copytree(self._folder, self._closed)

    def spots(self, place: Place, count: int) -> list[Spot]:
        """Bits that carry data, drawn from all of that place's."""
        home = self._source(place) / "home"
        journal = Layout(home / "journal")
        ranges: dict[Place, Callable[[], list[tuple[Path, int, int]]]] = {
            Place.DATABASE: lambda: [(journal.database, 0, journal.database.stat().st_size)],
            Place.LOG: lambda: [(journal.log, HEADER_BYTES, _log_end(journal.log))],
            Place.BLOB: lambda: [_whole(path) for path in _blobs(journal)],
            Place.SNAPSHOT: lambda: [_whole(path) for path in (home / "snapshots").glob("*.snap")],
        }
        found = ranges[place]()
        assert found, f"there is no {place}"
        drawn = self._chance.choices(found, [end - start for _, start, end in found], k=count)
        return [
            Spot(str(path.relative_to(home)), self._chance.randrange(8 * start, 8 * end))
            for path, start, end in drawn
        ]

    def outcome(self, place: Place, spot: Spot) -> Outcome:
        """Flip that bit, and see."""
        shutil.rmtree(self._folder)
        shutil.copytree(self._source(place), self._folder)
        home = self._folder / "home"
        flip(home / spot.file, spot.bit)
        is_named = place is not Place.SNAPSHOT and bool(check(home / "journal"))
        seen = asyncio.run(_seen(self._folder, place))
        return Outcome.NAMED if seen is Outcome.HARMLESS and is_named else seen

    def _source(self, place: Place) -> Path:
        return self._killed if place is Place.LOG else self._closed


def _kill_at_work(folder: Path, seed: int) -> None:
    """A kernel works in the home and is killed."""
    context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe(duplex=False)
    life = Life(folder=folder, clients=CLIENTS, seed=seed, script=SCRIPT)
    victim = context.Process(target=live, args=(life, theirs), daemon=True)
    victim.start()
    with closing(ours), closing(theirs):
        assert ours.poll(LIMIT_S), "a kernel that is well is judged"
        assert not ours.recv(), "a kernel that is well loses nothing"
        assert not ours.poll(WORK_S), "a kernel that is well goes on"
        victim.kill()
        victim.join()


async def _come_to_rest(folder: Path) -> None:
    """The next kernel is stopped in the middle of a generation, which it takes to disk."""
    home = folder / "home"
    outside = Outside(folder / "outside")
    core = scripted(SCRIPT, DiskStore(home / "snapshots"))
    with closing(Ledger(folder / "ledger")) as ledger:
        async with kernel_in(home, programs=programs(outside), core=core) as kernel:
            crowd = Crowd(kernel, ledger, CLIENTS)
            await crowd.resume()
            assert not await Judge(crowd, outside, SCRIPT, Random(0)).findings()
            asked = asyncio.ensure_future(kernel.call(kernel.token, LONG, key=LONG_KEY))
            await asyncio.wait([asked], timeout=HALF_S)
    assert isinstance(asked.exception(), ShuttingDown), "it goes on in the next kernel"


async def _seen(folder: Path, place: Place) -> Outcome:
    """What the next kernel makes of a home in which a bit flipped there."""
    outside = Outside(acts=Outside(folder / "outside").acts)
    with closing(Ledger(folder / "ledger")) as written:
        ledger = Ledger.of(written.entries)
    home = folder / "home"
    core = scripted(SCRIPT, DiskStore(home / "snapshots"))
    try:
        async with kernel_in(home, programs=programs(outside), core=core) as kernel:
            if place is Place.SNAPSHOT:
                return await _long(kernel)
            crowd = Crowd(kernel, ledger, CLIENTS)
            # In the home that was closed in peace nobody waits for an answer: a new step might
            # write over what a bit of is wrong.
            await (crowd.resume() if place is Place.LOG else crowd.gather())
            found = await Judge(crowd, outside, SCRIPT, Random(0)).findings(is_last=True)
            return Outcome.UNNOTICED if found else Outcome.HARMLESS
    except* Damaged:
        outcome = Outcome.RAISED
    except* AiosError:
        outcome = Outcome.UNNOTICED
    return outcome


async def _long(kernel: Kernel) -> Outcome:
    said: Completion = await kernel.call(kernel.token, LONG, key=LONG_KEY)
    expected = invented(LONG.token_ids, LONG.decoding, SCRIPT.answer_tokens, LONG_TOKENS)
    if said.choices[0].token_ids != expected[0].token_ids:
        return Outcome.UNNOTICED
    return Outcome.RECOMPUTED if said.recomputed else Outcome.HARMLESS


def _log_end(log: Path) -> int:
    """Behind the last commit; what a killed kernel was just writing means nothing to anybody."""
    if not log.exists():
        return HEADER_BYTES
    data = log.read_bytes()
    ends = range(HEADER_BYTES, HEADER_BYTES + survey(data).frames * FRAME_BYTES, FRAME_BYTES)
    commits = [start + FRAME_BYTES for start in ends if any(data[start + 4 : start + 8])]
    return max(commits, default=HEADER_BYTES)


def _is_in_database(journal: Layout) -> bool:
    """Whether the database has the last commit by itself, without the log."""
    with TemporaryDirectory() as name:
        alone = shutil.copy(journal.database, name)
        with closing(connect(Path(alone))) as connection:
            return counted(connection) >= (Witness(Disk(), journal.witness).load() or 0)


def _whole(path: Path) -> tuple[Path, int, int]:
    return path, 0, path.stat().st_size


def _blobs(journal: Layout) -> list[Path]:
    """Those that a block's chunk, a message or a file's version is in."""
    needed: Sequence[Any] = (
        statements.CHUNK_BLOBS,
        statements.MESSAGE_BLOBS,
        statements.FILE_BLOBS,
    )
    with closing(connect(journal.database)) as connection:
        names = {row[0] for one in needed for row in connection.execute(one.sql)}
    paths = [journal.blobs / name[:2] / name for name in sorted(names)]
    return [path for path in paths if path.exists()]
