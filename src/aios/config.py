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
    ended_kept: int = 10_000  # ended processes that `wait` and `inspect` still find
    deadline_s: float = 3_600.0  # for LLM calls that name none
    engine_crashes_max: int = 3  # crashes while a generation ran before it is given up
    drain_s: float = 30.0  # how long a shutdown waits for snapshots


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Folders for suspended generations."""

    ram: Path
    disk: Path

    @classmethod
    def default(cls) -> "Places":
        """Shared memory where the system has it, and the user's state folder."""
        shared = Path("/dev/shm")
        base = shared if os.access(shared, os.W_OK) else Path(tempfile.gettempdir())
        home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local/state")
        return cls(ram=base / f"aios-{os.getuid()}", disk=Path(home) / "aios/snapshots")
