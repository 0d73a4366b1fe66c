"""Figures and states as people read them. Pure."""

import json
from collections.abc import Callable, Mapping
from typing import Any

BYTE_UNITS = ("B", "KB", "MB", "GB", "TB")
GOOD = frozenset({"running", "done", "up", "ready", "yes", "used", "allow"})
BAD = frozenset({"failed", "killed", "gone", "down", "no", "deny", "core_failed", "damaged"})
WAITING = frozenset({
    "paused", "queued", "suspended", "blocked", "pending", "waiting", "changed", "ask", "expired",
})  # fmt: skip


def count(value: float | None) -> str:
    """A number in groups of three; what is not known or not limited is a dash."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def short(value: float) -> str:
    """A number in about three digits."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= size:
            return f"{value / (1e3 if unit == 'k' else size):.3g}{unit}"
    return f"{value:,.0f}"


def bytes_(value: float) -> str:
    """A size in the unit that suits it."""
    unit = 0
    while value >= 1_000 and unit < len(BYTE_UNITS) - 1:
        value /= 1_000
        unit += 1
    return f"{value:,.0f} {BYTE_UNITS[unit]}" if unit == 0 else f"{value:.3g} {BYTE_UNITS[unit]}"


def seconds(value: float) -> str:
    """A duration in two units at most."""
    if value < 0.0995:
        return f"{value * 1_000:.0f} ms"
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(int(value), 60)
    if minutes < 60:
        return f"{minutes} m {rest:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} m" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def share(part: float, whole: float | None) -> int:
    """Percent, from 0 to 100; of nothing it is none."""
    return min(100, round(100 * part / whole)) if whole else 0


def tone(state: str) -> str:
    """How a state is coloured."""
    for words, name in ((GOOD, "good"), (BAD, "bad"), (WAITING, "wait")):
        if state in words:
            return name
    return "plain"


def doing(agent: Any) -> str:
    """What an agent does at this moment, of a row of `kernel.stats`."""
    if agent.state != "running":
        return str(agent.state)
    if agent.running:
        return "on a lane"
    if agent.waiting:
        return f"waits for a lane, {seconds(agent.waited_s)}"
    if agent.waiting_for:
        return f"waits for {agent.waiting_for}"
    return "at work" if agent.live_calls else "idle"


def pretty(text: str) -> str:
    """JSON laid out for reading; any other text as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def plural(value: int, one: str, many: str = "") -> str:
    return f"{value:,} {one if value == 1 else many or one + 's'}"


FILTERS: Mapping[str, Callable[..., Any]] = {
    "count": count,
    "short": short,
    "bytes": bytes_,
    "seconds": seconds,
    "share": share,
    "tone": tone,
    "doing": doing,
    "pretty": pretty,
    "plural": plural,
}
