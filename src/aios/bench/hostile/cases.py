"""One hostile program as a job: what it is run with, and what of it is looked at beyond the usual.

Programs are found by their files; `SETTINGS` has a row for each that needs anything special.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path

import msgspec

from aios.errors import NotFound
from aios.sandbox.base import Bounds, Egress, Ended, Job

BOUNDS = Bounds(
    wall_s=4.0,
    cpu_s=4.0,
    memory_bytes=128 << 20,
    processes=48,
    open_files=256,
    disk_bytes=64 << 20,
    files=512,
    output_bytes=64 << 10,
)
SHORT = msgspec.structs.replace(BOUNDS, wall_s=1.0)  # of those that never end by themselves
_HEADER = re.compile(r"Class(?:es)? ([0-9, ]+)\.")


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What sets a program apart from the others."""

    bounds: Bounds = BOUNDS
    collect: tuple[str, ...] = ()
    stdin: bytes = b""
    egress: Egress | None = None
    most: float | None = None  # of what it says it REACHED
    ends: Ended | None = None  # the only honest end
    code: int | None = None  # the only honest exit status
    stdout: bytes | None = None  # exactly this
    wall_s: float | None = None  # the end is to come before
    is_marked: bool = False  # it can be seen while it runs, and is looked for when it has ended
    is_folder: bool = False  # it works in a folder of the machine, and so does the next program
    is_safe: bool = True  # also where nothing confines it


MIB = 1 << 20
ALL = ("**",)
PROCESSES, MEMORY_MIB = BOUNDS.processes, BOUNDS.memory_bytes / MIB
DISK_MIB = BOUNDS.disk_bytes / MIB
# Its own, /tmp's and /dev/shm's: each has a bound, all are counted in the sandbox's memory.
PLACES = 3
GARBAGE = bytes(range(256)) + b"\xed\xa0\x80\x1b]0;title\x07\x1b[2J\r\n\0\xff\xfe"
ROOMY = msgspec.structs.replace(BOUNDS, memory_bytes=512 << 20)  # so that another bound is met

SETTINGS: Mapping[str, Setting] = {
    "symlink_out": Setting(collect=(*ALL, "folder/*", "result.txt")),
    "hardlink_out": Setting(collect=ALL),
    "weird_names": Setting(collect=ALL),
    "fork_bomb": Setting(most=PROCESSES),
    "fork_tree": Setting(most=PROCESSES),
    "thread_bomb": Setting(most=PROCESSES),
    "memory_one": Setting(most=MEMORY_MIB),
    "memory_many": Setting(most=MEMORY_MIB),
    "memory_shared": Setting(most=MEMORY_MIB),
    "memory_files": Setting(most=MEMORY_MIB),
    "disk_one": Setting(most=DISK_MIB, bounds=ROOMY),
    "disk_many": Setting(most=PLACES * DISK_MIB, bounds=ROOMY),
    "inodes": Setting(collect=ALL),
    "cpu_spin": Setting(bounds=SHORT, is_marked=True, ends="timeout"),
    "cpu_spread": Setting(
        bounds=msgspec.structs.replace(BOUNDS, cpu_s=1.0, wall_s=6.0), is_marked=True, wall_s=4.5
    ),
    "ignores_signals": Setting(bounds=SHORT, is_marked=True, ends="timeout"),
    "daemon": Setting(is_marked=True),
    "execs_away": Setting(is_marked=True),
    "background": Setting(is_marked=True),
    "holds_pipes": Setting(is_marked=True, ends="exited", wall_s=3.0),
    "stops_itself": Setting(bounds=SHORT, is_marked=True, ends="timeout"),
    "closes_everything": Setting(bounds=SHORT, is_marked=True, ends="timeout"),
    "slow_drip": Setting(bounds=SHORT, is_marked=True, ends="timeout"),
    "garbage": Setting(stdout=GARBAGE),
    "forged_result": Setting(ends="exited", code=7),
    "through_proxy": Setting(egress=Egress(allowed=("allowed.invalid:443",))),
    "around_proxy": Setting(egress=Egress(allowed=("allowed.invalid:443",))),
    "descriptors": Setting(most=BOUNDS.open_files),
    "waits_for_input": Setting(bounds=SHORT, ends="exited", code=0, stdout=b"0\n"),
    "ignores_input": Setting(stdin=b"x" * (4 << 20), ends="exited", code=3),
    "import_hijack": Setting(is_folder=True, collect=ALL),
    "zip_bomb": Setting(collect=ALL),
    "pickle_result": Setting(collect=ALL),
    "deep_json": Setting(collect=ALL),
    "core_dump": Setting(collect=ALL),
    "pipe_result": Setting(collect=ALL),
    "deep_folders": Setting(collect=ALL),
    "holes": Setting(collect=ALL),
    "swaps_results": Setting(collect=("result.txt",)),
    "replaces_workspace": Setting(collect=("result.txt", "*", "id_ed25519")),
    "locks_workspace": Setting(collect=ALL),
    "sets_clock": Setting(is_safe=False),
    "sets_name": Setting(is_safe=False),
    "next_interpreter": Setting(is_safe=False),
    "terminals": Setting(is_safe=False),
}


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A program, its attack classes, and its setting."""

    name: str
    source: str
    is_shell: bool
    classes: tuple[int, ...]
    setting: Setting

    def job(self, aims: Mapping[str, str], folder: Path | None, *, cold: bool = False) -> Job:
        """To be run as a program of its own, or, `cold` or in a shell, by its words."""
        words: tuple[str, ...] = ("/bin/sh", "-c", self.source)
        if not self.is_shell:
            words = ("python3", "-c", self.source)
        is_argv = self.is_shell or cold
        return Job(
            argv=words if is_argv else (),
            python=None if is_argv else self.source,
            stdin=self.setting.stdin,
            environment={"PATH": "/usr/local/bin:/usr/bin:/bin", **aims},
            folder=folder,
            bounds=self.setting.bounds,
            collect=self.setting.collect,
            egress=self.setting.egress,
        )


@cache
def cases() -> tuple[Case, ...]:
    """All of them, by name."""
    folder = resources.files("aios.bench.hostile") / "programs"
    texts = {one.name: one.read_text() for one in folder.iterdir() if one.is_file()}
    return tuple(_case(name, texts[name]) for name in sorted(texts))


def case(name: str) -> Case:
    """The one of that name."""
    found = [one for one in cases() if one.name == name]
    if not found:
        raise NotFound(f"no hostile program {name!r}; known: {[one.name for one in cases()]}")
    return found[0]


def _case(file: str, source: str) -> Case:
    name, _, kind = file.partition(".")
    header = _HEADER.search(source.splitlines()[0])
    assert header is not None, f"{file} says its class first"
    return Case(
        name=name,
        source=source,
        is_shell=kind == "sh",
        classes=tuple(int(number) for number in header[1].split(",")),
        setting=SETTINGS.get(name, Setting()),
    )
