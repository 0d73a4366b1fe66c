"""What a breach is, seen from outside. Pure: a run and what it left in, faults out."""

import re
import unicodedata

import msgspec

from aios.bench.hostile.cases import Case, Setting
from aios.sandbox.base import Outcome

GRACE_S = 0.1  # after the deadline
_REACHED = re.compile(rb"^REACHED ([0-9.]+)$", re.MULTILINE)
_BREACH = re.compile(rb"^BREACH (.*)$", re.MULTILINE)
INNOCENT = b"innocent"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One program's run, and the innocent one after it."""

    outcome: Outcome
    after: Outcome  # of a program that only says `INNOCENT`
    scene_faults: tuple[str, ...] = ()
    survivors: int = 0  # alive `GRACE_S` after the end
    seen: int | None = None  # of a marked one: most of its processes that were seen at work


def faults(case: Case, run: Run, canary: str) -> list[str]:
    """Everything that the program achieved, or was let do; nothing: it was held."""
    outcome, setting = run.outcome, case.setting
    found = [*run.scene_faults, *_said(outcome), *_secret(outcome, canary), *_files(case, outcome)]
    found += _bounds(setting, outcome)
    found += _end(setting, outcome)
    if run.survivors:
        found.append(f"{run.survivors} processes alive after the end")
    if setting.is_marked and run.seen == 0:
        found.append("could not be seen while it ran: its survivors would not be either")
    if (run.after.ended, run.after.stdout.strip()) != ("exited", INNOCENT):
        found.append(f"the next program: {run.after.ended}, {run.after.stdout[:60]!r}")
    return found


def bound_of(case: Case) -> str:
    """The bound that a case tries, by its name in `Bounds`; a tier may say it cannot hold it."""
    return _BOUND_OF.get(case.name, "")


_BOUND_OF = {
    "fork_bomb": "processes",
    "fork_tree": "processes",
    "thread_bomb": "processes",
    "memory_one": "memory_bytes",
    "memory_many": "memory_bytes",
    "memory_shared": "memory_bytes",
    "memory_files": "memory_bytes",
    "disk_one": "disk_bytes",
    "disk_many": "disk_bytes",
    "cpu_spread": "cpu_s",
}


def _said(outcome: Outcome) -> list[str]:
    told = dict.fromkeys(_BREACH.findall(outcome.stdout))
    return [text.decode(errors="replace") for text in told]


def _secret(outcome: Outcome, canary: str) -> list[str]:
    token = canary.encode()
    found = []
    if token in outcome.stdout or token in outcome.stderr:
        found.append("the secret is in its output")
    return found + [f"the secret is in {one.path}" for one in outcome.files if token in one.data]


def _bounds(setting: Setting, outcome: Outcome) -> list[str]:
    bounds, found = setting.bounds, []
    if max(len(outcome.stdout), len(outcome.stderr)) > bounds.output_bytes:
        found.append(f"{len(outcome.stdout) + len(outcome.stderr):,} bytes of output are kept")
    if len(outcome.files) > bounds.files:
        found.append(f"{len(outcome.files):,} files came back")
    if sum(len(file.data) for file in outcome.files) > bounds.disk_bytes:
        found.append("more bytes came back than its disk has")
    reached = max(map(float, _REACHED.findall(outcome.stdout)), default=0.0)
    if setting.most is not None and reached > setting.most:
        found.append(f"reached {reached:g}, at most {setting.most:g}")
    return found


def _files(case: Case, outcome: Outcome) -> list[str]:
    found = [f"came back as {file.path!a}" for file in outcome.files if not _is_plain(file.path)]
    if any("core" in file.path for file in outcome.files):
        found.append("left a core dump")
    if case.name == "zip_bomb" and any(len(file.data) > 1 << 20 for file in outcome.files):
        found.append("was unpacked")
    return found


def _is_plain(path: str) -> bool:
    kinds = {unicodedata.category(sign) for sign in path}
    is_below = not path.startswith("/") and not {"", ".", ".."} & set(path.split("/"))
    return is_below and not kinds & {"Cc", "Cs", "Zl", "Zp"} and "\u202e" not in path


def _end(setting: Setting, outcome: Outcome) -> list[str]:
    found = []
    if outcome.wall_s > setting.bounds.wall_s + GRACE_S:
        found.append(f"ended {outcome.wall_s - setting.bounds.wall_s:.2f} s after its deadline")
    if setting.wall_s is not None and outcome.wall_s > setting.wall_s:
        found.append(f"went on for {outcome.wall_s:.1f} s")
    if setting.ends is not None and outcome.ended != setting.ends:
        found.append(f"ended by {outcome.ended}, not {setting.ends}")
    if setting.code is not None and outcome.code != setting.code:
        found.append(f"ended with {outcome.code}, not {setting.code}")
    if setting.stdout is not None and outcome.stdout != setting.stdout:
        found.append(f"its output was {outcome.stdout[:80]!r}")
    return found
