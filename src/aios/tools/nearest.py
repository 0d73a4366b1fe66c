"""The known name that a wrong one probably means. Pure."""

from collections.abc import Collection
from difflib import get_close_matches

LENGTH_MAX = 64
KNOWN_MAX = 512  # more are not compared: it would take too long


def nearest(name: str, known: Collection[str]) -> str:
    """Empty where none is near, or where looking would cost more than a hint is worth."""
    if len(name) > LENGTH_MAX or len(known) > KNOWN_MAX:
        return ""
    short = [one for one in known if len(one) <= LENGTH_MAX]
    return next(iter(get_close_matches(name, short, n=1, cutoff=0.5)), "")
