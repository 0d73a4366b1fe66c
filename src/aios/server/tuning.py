"""What a process that serves thousands asks of the system and of Python, once, when it is ready."""

import gc
import sys

COLLECT = (50_000, 20, 50)  # objects made before the youngest are looked through, and so on
FILES = 65_536  # open at once: one for each connection


def tuned() -> None:
    """As many open files as are allowed; what lives from the start on is never looked through.

    A look through all that thousands of waiting calls hold would stop everybody meanwhile.
    """
    allow_files(FILES)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT)


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
