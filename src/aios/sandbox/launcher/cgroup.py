"""Control groups: the memory, processes and CPU of a whole tree, by version 2, else version 1.

Group folders are made below the launcher's own group, or the nearest one above it that allows it.
Knows no sandbox; what cannot be had is absent, and `Groups.holds` says so.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

WANTED = ("memory", "pids", "cpu", "cpuacct")
# Of the CPU: a job has a quarter of an ordinary process's share, and no less, or beside an engine
# that is always busy it would never end. Whom it yields to among other jobs is another matter.
SHARE_V1, SHARE_V2 = "256", "25"
PREFIX = "aios-"


@dataclass(frozen=True, slots=True)
class Groups:
    """Where groups can be made: the folder of the launcher's own group for each controller."""

    version: int
    parents: dict[str, Path]

    @property
    def holds(self) -> frozenset[str]:
        return frozenset(self.parents)

    def group(self, name: str) -> "Group":
        """A new group. Raises `OSError` where it cannot be made."""
        folders = {what: parent / name for what, parent in self.parents.items()}
        for folder in dict.fromkeys(folders.values()):
            folder.mkdir()
        group = Group(self.version, folders)
        group.weigh(yields=False)
        return group

    def close(self) -> None:
        for parent in dict.fromkeys(self.parents.values()):
            with suppress(OSError):
                parent.rmdir()


@dataclass(slots=True)
class Group:
    """One sandbox's group, by controller; used again and again, by one sandbox at a time."""

    version: int
    folders: dict[str, Path]
    _bounds: tuple[int, int] | None = field(default=None, init=False)  # as last written
    _killed: int = field(default=0, init=False)  # by the memory bound, before this job
    _used_s: float = field(default=0.0, init=False)
    _yields: bool | None = field(default=None, init=False)  # None: nothing was said yet
    _is_pinned: bool = field(default=False, init=False)

    def join(self) -> None:
        """Move the calling process into it; its children are born there."""
        for folder in dict.fromkeys(self.folders.values()):
            (folder / "cgroup.procs").write_text("0")

    def weigh(self, *, yields: bool) -> None:
        """Whether another job that wakes up takes the processor from it at once.

        By a small weight alone it would first finish its slice, of milliseconds.
        """
        if yields == self._yields:
            return
        self._yields = yields
        self._write("cpu", "cpu.idle", str(int(yields)))
        if not yields:  # The system forgets a share together with what it was.
            name, share = ("weight", SHARE_V2) if self.version == 2 else ("shares", SHARE_V1)
            self._write("cpu", f"cpu.{name}", share)

    def place(self, *, is_long: bool, spare: int) -> None:
        """Where its threads may run; the keeper `spare` goes where it likes."""
        if is_long or self._is_pinned:
            self._pin(self.processors(is_long=is_long), spare)
            self._is_pinned = is_long

    def processors(self, *, is_long: bool) -> Sequence[int]:
        """Where it may run; none: anywhere."""
        return _processors()[is_long:] if "cpu" in self.folders else ()

    def _pin(self, processors: Sequence[int], spare: int) -> None:
        """All its threads; who is born meanwhile is met the next time."""
        name = "cgroup.threads" if self.version == 2 else "tasks"
        for thread in self._read("cpu", name).split():
            if processors and int(thread) != spare:
                with suppress(OSError):
                    os.sched_setaffinity(int(thread), processors)

    def bound(self, memory_bytes: int, processes: int) -> None:
        """Set what the tree may take. Costs nothing where that is so already."""
        if self._bounds == (memory_bytes, processes):
            return
        self._bounds = (memory_bytes, processes)
        if self.version == 2:
            self._write("memory", "memory.max", str(memory_bytes))
            self._write("memory", "memory.swap.max", "0")
        else:
            # The second stands above the first at any time, so that one order fits both ways.
            for name in ("limit_in_bytes", "memsw.limit_in_bytes", "limit_in_bytes"):
                self._write("memory", f"memory.{name}", str(memory_bytes))
        self._write("pids", "pids.max", str(processes))

    def count(self) -> None:
        """What is used from now on is the next job's, and that is a new one."""
        self._is_pinned = True  # Its processes are new ones, started out of others' way.
        self._killed, self._used_s = self._kills(), self._cpu_s()

    def kills(self) -> int:
        """Processes that the memory bound ended since `count`."""
        return self._kills() - self._killed

    def cpu_s(self) -> float:
        """CPU time that the whole tree has used since `count`."""
        return self._cpu_s() - self._used_s

    def remove(self) -> None:
        for folder in dict.fromkeys(self.folders.values()):
            with suppress(OSError):
                folder.rmdir()

    def _kills(self) -> int:
        name = "memory.events" if self.version == 2 else "memory.oom_control"
        return self._count("memory", name, "oom_kill")

    def _cpu_s(self) -> float:
        if self.version == 2:
            return self._count("cpu", "cpu.stat", "usage_usec") / 1e6
        text = self._read("cpuacct", "cpuacct.usage")
        return int(text) / 1e9 if text.strip().isdigit() else 0.0

    def _count(self, what: str, name: str, key: str) -> int:
        for line in self._read(what, name).splitlines():
            word, _, number = line.partition(" ")
            if word == key:
                return int(number)
        return 0

    def _read(self, what: str, name: str) -> str:
        folder = self.folders.get(what)
        if folder is None:
            return ""
        try:
            return (folder / name).read_text()
        except OSError:
            return ""

    def _write(self, what: str, name: str, value: str) -> None:
        folder = self.folders.get(what)
        if folder is not None:
            with suppress(OSError):  # Swap accounting may be off, and a bound below what is used.
                (folder / name).write_text(value)


@cache
def _processors() -> Sequence[int]:
    """Those that this process may use."""
    return sorted(os.sched_getaffinity(0))


def find(proc: Path, name: str) -> Groups | None:
    """Where this process can make groups, under one of its own called `name`; None for nowhere."""
    try:
        own = dict(_own(proc))
        mounts = list(_mounts(proc))
    except OSError:
        return None
    for mount in mounts:
        if mount.kind == "cgroup2" and "" in own:
            found = _version_2(mount.place(own[""]), mount.point, name)
            if found is not None:
                return found
    return _version_1(own, mounts, name)


@dataclass(frozen=True, slots=True)
class _Mount:
    root: str  # the part of the hierarchy that is seen here
    point: Path
    kind: str
    controllers: frozenset[str]

    def place(self, group: str) -> Path:
        """Where a group of the hierarchy stands in the file system."""
        inside = os.path.relpath(group, self.root)
        return self.point if inside.startswith("..") else self.point / inside


def _own(proc: Path) -> Iterator[tuple[str, str]]:
    for line in (proc / "self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for one in controllers.split(","):
            yield one, path


def _mounts(proc: Path) -> Iterator[_Mount]:
    for line in (proc / "self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        if kind in ("cgroup", "cgroup2"):
            _, _, _, root, point = before.split(" ")[:5]
            yield _Mount(root, Path(point), kind, frozenset(options.split(",")))


def _version_2(own: Path, top: Path, name: str) -> Groups | None:
    """A group with processes in it has no limited children, so those above are asked too."""
    for place in (own, *own.parents):
        if place != top and not place.is_relative_to(top):
            return None
        groups = _delegated(place / name)
        if groups is not None:
            return groups
    return None


def _delegated(folder: Path) -> Groups | None:
    try:
        offered = set((folder.parent / "cgroup.controllers").read_text().split())
        wanted = [one for one in ("memory", "pids", "cpu") if one in offered]
        if not {"memory", "pids"} <= offered:
            return None
        enable = " ".join(f"+{one}" for one in wanted)
        (folder.parent / "cgroup.subtree_control").write_text(enable)
        folder.mkdir()
        (folder / "cgroup.subtree_control").write_text(enable)
    except OSError:
        with suppress(OSError):
            folder.rmdir()
        return None
    return Groups(2, dict.fromkeys(wanted, folder))


def _version_1(own: dict[str, str], mounts: list[_Mount], name: str) -> Groups | None:
    parents = {}
    for what in WANTED:
        mount = next((one for one in mounts if what in one.controllers), None)
        if mount is None or what not in own:
            continue
        folder = mount.place(own[what]) / name
        with suppress(OSError):
            folder.mkdir(exist_ok=True)
            parents[what] = folder
    return Groups(1, parents) if parents else None


def clear_left(groups: Groups) -> None:
    """Remove the groups of launchers that are gone, with all that still runs in them."""
    for parent in dict.fromkeys(groups.parents.values()):
        for folder in parent.parent.glob(f"{PREFIX}*"):
            number = folder.name.removeprefix(PREFIX)
            if number.isdigit() and not Path("/proc", number).exists():
                _clear(folder)


def _clear(folder: Path) -> None:
    for inner in (*folder.glob("*/"), folder):
        with suppress(OSError):
            for pid in (inner / "cgroup.procs").read_text().split():
                os.kill(int(pid), 9)
        with suppress(OSError):
            inner.rmdir()
