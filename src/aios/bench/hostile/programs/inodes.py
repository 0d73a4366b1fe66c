"""Class 16. Makes empty files without end; each costs no byte of its bound.

A breach: more come back than the job may have, or the end comes late.
"""

from contextlib import suppress
from pathlib import Path

with suppress(OSError):
    for number in range(20_000):
        Path(f"{number}.txt").touch()
