"""Limits and places, frozen. A part takes the fields it needs, not the whole."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of the kernel. Reaching one raises `Busy`, never a queue without end."""

    processes_max: int = 200_000
    calls_max: int = 200_000
    calls_per_process_max: int = 256
    mail_max: int = 1_000
    mail_bytes_max: int = 1 << 20
    results_max: int = 100_000  # results of calls with an idempotency key that are remembered
    results_age_s: float = 86_400.0  # and for how long
    ended_kept: int = 10_000  # ended processes that `wait` and `inspect` still find
    deadline_s: float = 3_600.0  # for LLM calls that name none
    approval_s: float = 600.0  # for a human to answer; unanswered it is a no. 0: nobody is asked
    engine_crashes_max: int = 3  # crashes while a generation ran before it is given up
    drain_s: float = 30.0  # how long a shutdown waits for snapshots
    memory_bytes: int = 1 << 30  # of agents' blocks in RAM; they move to disk at 80 % of it
    ram_bytes: int = 2 << 30  # of snapshots in shared memory
    disk_bytes: int = 20 << 30  # of snapshots on disk


def shared_memory() -> Path:
    """A folder whose files live in RAM; the temporary folder where the system has none."""
    folder = Path("/dev/shm")
    return folder if os.access(folder, os.W_OK) else Path(tempfile.gettempdir())
