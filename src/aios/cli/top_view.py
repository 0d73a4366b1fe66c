"""What `aios top` knows of a kernel: its agents, their rates, and who was on a lane when. Pure."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aios.cli.paint import rate
from aios.syscalls.process import ProcessInfo

MOMENTS = 24  # of lane use that are shown, one a refresh
BARS = " ▁▂▃▄▅▆▇█"
Key = Callable[["Row"], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One agent as the screen shows it. Rates are a second's, since the refresh before."""

    info: ProcessInfo
    tokens_per_s: float
    calls_per_s: float
    lanes: int  # branches of its generations that run now
    trail: str  # lane use, the newest to the right


SORTS: Mapping[str, Key] = {
    "pid": lambda row: row.info.pid,
    "name": lambda row: row.info.agent,
    "tokens": lambda row: -(row.info.prompt_tokens + row.info.completion_tokens),
    "rate": lambda row: -row.tokens_per_s,
    "calls": lambda row: -row.info.calls,
    "lanes": lambda row: -row.lanes,
}


@dataclass(slots=True)
class _Past:
    """What the refresh before saw of a process."""

    tokens: int = 0
    calls: int = 0
    trail: deque[int] = field(default_factory=lambda: deque(maxlen=MOMENTS))


class View:
    """Fed with process lists and events; bounded by what lives."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.switches = 0  # generations taken off their lanes since it was opened
        self._running: dict[str, tuple[int, int]] = {}  # generation -> pid, branches
        self._past: dict[int, _Past] = {}
        self._at: float | None = None

    @property
    def lanes(self) -> int:
        """Branches that run now, as far as was heard."""
        return sum(branches for _, branches in self._running.values())

    def heard(self, event: Mapping[str, Any]) -> None:
        """One event of the kernel's stream."""
        kind = event.get("event")
        if kind == "started":
            self._running[event["generation"]] = (event["pid"], event["branches"])
        elif kind in ("stopped", "ended"):
            self._running.pop(event["generation"], None)
            self.switches += kind == "stopped"
        elif kind == "core_died":
            self._running.clear()

    def refresh(self, processes: Iterable[ProcessInfo], now: float) -> None:
        """A new list of what lives, at `now` seconds."""
        elapsed = now - self._at if self._at is not None else 0.0
        self._at = now
        before, self._past = self._past, {}
        self.rows = [self._row(one, before.get(one.pid), elapsed) for one in processes]

    def shown(self, sort: str, words: str, *, tree: bool) -> list[tuple[int, Row]]:
        """Depth and row of what matches `words`, in order; a tree is in order below each parent."""
        rows = sorted(self.rows, key=SORTS[sort])
        rows = [row for row in rows if words.lower() in f"{row.info.agent} {row.info.state}"]
        return _nested(rows) if tree else [(0, row) for row in rows]

    def _row(self, info: ProcessInfo, past: _Past | None, elapsed: float) -> Row:
        lanes = sum(branches for pid, branches in self._running.values() if pid == info.pid)
        tokens = info.prompt_tokens + info.completion_tokens
        known = past or _Past(tokens, info.calls)
        row = Row(
            info=info,
            tokens_per_s=rate(tokens - known.tokens, elapsed),
            calls_per_s=rate(info.calls - known.calls, elapsed),
            lanes=lanes,
            trail=_bars([*known.trail, lanes][-MOMENTS:]),
        )
        known.trail.append(lanes)
        self._past[info.pid] = _Past(tokens, info.calls, known.trail)
        return row


def _bars(lanes: list[int]) -> str:
    return "".join(BARS[min(one, len(BARS) - 1)] for one in lanes)


def _nested(rows: list[Row]) -> list[tuple[int, Row]]:
    """Each row below its parent, where that is among them."""
    known = {row.info.pid for row in rows}
    below: dict[int, list[Row]] = {}
    for row in rows:
        parent = row.info.parent if row.info.parent in known else 0
        below.setdefault(parent, []).append(row)
    found: list[tuple[int, Row]] = []
    to_visit = [(0, row) for row in reversed(below.get(0, []))]
    while to_visit:
        depth, row = to_visit.pop()
        found.append((depth, row))
        to_visit += [(depth + 1, one) for one in reversed(below.get(row.info.pid, []))]
    return found
