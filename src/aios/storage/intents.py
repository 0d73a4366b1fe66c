"""What a commit leaves to be done on the disk, as data, and the quick way to do it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from aios.errors import AiosError
from aios.storage.disk import Disk, Root, Seen
from aios.storage.draft import Effect
from aios.storage.paths import FilePath


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """Effects whose commit is durable; the journal has it until the disk has them too."""

    id: str
    agent: str
    effects: tuple[Effect, ...]

    @property
    def known(self) -> frozenset[str]:
        """Contents that may be replaced: the journal keeps them."""
        pairs = ((effect.was_sha256, effect.sha256) for effect in self.effects)
        return frozenset(sha for pair in pairs for sha in pair if sha)

    def in_order(self) -> list[FilePath]:
        """What goes, from the inside out; then what comes, from the outside in."""
        paths = sorted(FilePath(effect.path) for effect in self.effects)
        going = {effect.path for effect in self.effects if not effect.kind}
        return [
            *(path for path in reversed(paths) if path in going),
            *(path for path in paths if path not in going),
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One effect, and where it lies. `staged` names a new file's bytes that are set aside."""

    effect: Effect
    root: Root
    way: FilePath
    before: str  # what the real file looked like when the change was decided
    staged: str


@dataclass(frozen=True, slots=True)
class Rename:
    """A move within one root, and nothing else."""

    path: FilePath
    to: FilePath


@dataclass(slots=True)
class Done:
    """What the quick way reached: how new files look, and the jobs that it could not do."""

    seen: dict[FilePath, Seen] = field(default_factory=dict)
    failed: list[Job] = field(default_factory=list)


def carry_out(disk: Disk, jobs: Sequence[Job]) -> Done:
    """Do all jobs, in order of path, as far as they meet what they expect. Blocks."""
    done = Done()
    for job in reversed(jobs):  # What is inside goes before its folder.
        if job.effect.was and job.effect.was != job.effect.kind and not _take_away(disk, job):
            done.failed.append(job)
    for job in jobs:
        if job not in done.failed and not _put(disk, job, done):
            done.failed.append(job)
    return done


def _take_away(disk: Disk, job: Job) -> bool:
    try:
        if job.effect.was == "folder":
            return disk.remove_folder(job.root, job.way)
        return disk.remove(job.root, job.way, job.before)
    except AiosError:
        return False


def _put(disk: Disk, job: Job, done: Done) -> bool:
    try:
        if job.effect.kind == "folder":
            return disk.make_folder(job.root, job.way)
        if job.effect.kind == "file":
            before = job.before if job.effect.was == "file" else ""
            seen = disk.place(job.root, job.staged, job.way, before)
            if seen is None:
                return False
            done.seen[FilePath(job.effect.path)] = seen
    except AiosError:
        return False
    return True
