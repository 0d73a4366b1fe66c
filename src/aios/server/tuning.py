"""What a process that serves thousands asks of the system and of Python, once, when it is ready."""

import asyncio
import gc
import sys
from collections.abc import Callable

YOUNG_S = 0.05  # between two looks through what was made since the last one
IDLE_S = 30.0  # at least between two looks through everything, where nobody waits
BUSY_S = 300.0  # the same where somebody does
FILES = 65_536  # open at once: one for each connection


def tuned() -> None:
    """As many open files as are allowed; what lives from the start on is never looked through."""
    allow_files(FILES)
    gc.collect()
    gc.freeze()


async def sparing(is_busy: Callable[[], bool]) -> None:
    """Look for what only the collector can free, a little and often, for as long as this runs.

    Python counts what was made less what was freed. Under a steady load that says nothing, the
    youngest generation grows to all that thousands of waiting calls hold, and one look through it
    stops everybody for 300 ms.
    """
    gc.disable()
    since_s = 0.0
    try:
        while True:
            await asyncio.sleep(YOUNG_S)
            since_s += YOUNG_S
            if since_s >= BUSY_S or (since_s >= IDLE_S and not is_busy()):
                gc.collect()
                since_s = 0.0
            else:
                gc.collect(0)
    finally:
        gc.enable()


def allow_files(wanted: int) -> int:
    """Let this process open so many files, or as many as it may; how many that are."""
    if sys.platform == "win32":
        return wanted
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
