"""What a terminal shows: colour only where a person looks, and numbers short enough to read.

`NO_COLOR` (of any value) takes colours away everywhere, `FORCE_COLOR` gives them everywhere.
"""

import os
import sys

STATES = {
    "running": "32", "up": "32", "ok": "32", "paused": "33", "down": "33", "failed": "31",
    "killed": "31", "gone": "31", "missing": "31",
}  # fmt: skip
STATE = "STATE"  # the column whose cells have colours
THOUSAND = 1_000
KIBI = 1_024
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400


def has_colours() -> bool:
    """Whether standard output is to have any."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()


def painted(column: str, cell: str, text: str) -> str:
    """`text`, a cell with its padding, in the colour of its state."""
    colour = STATES.get(cell) if column == STATE and has_colours() else None
    return f"\x1b[{colour}m{text}\x1b[0m" if colour else text


def count(number: float) -> str:
    """Whole up to 9,999, then in three digits: 12.3k, 4.56M."""
    if number < 10 * THOUSAND:
        return f"{number:.0f}"
    return _scaled(number, THOUSAND, "kMGT")


def rate(more: float, elapsed_s: float) -> float:
    """What came in some time, a second's; none where no time has passed."""
    return more / elapsed_s if elapsed_s > 0 else 0.0


def size(number: float) -> str:
    """Bytes, as 0B, 512B, 1.5KiB, 2GiB."""
    return f"{number:.0f}B" if number < KIBI else f"{_scaled(number, KIBI, 'KMGT')}iB"


def span(seconds: float) -> str:
    """Seconds, as 0.4s, 12s, 3m05s, 2h10m, 4d."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    whole = int(seconds)
    if whole < MINUTE_S:
        return f"{whole}s"
    if whole < HOUR_S:
        return f"{whole // MINUTE_S}m{whole % MINUTE_S:02}s"
    if whole < DAY_S:
        return f"{whole // HOUR_S}h{whole % HOUR_S // MINUTE_S:02}m"
    return f"{whole // DAY_S}d"


def share(part: float, whole: float) -> str:
    """Of how much how much is used."""
    return f"{100 * part / whole:.0f}%" if whole else "-"


def _scaled(number: float, base: int, units: str) -> str:
    at = 0
    number /= base
    while number >= base - 0.5 and at < len(units) - 1:
        number, at = number / base, at + 1
    return f"{number:.3g}{units[at]}" if number < THOUSAND - 0.5 else f"{number:.0f}{units[at]}"
