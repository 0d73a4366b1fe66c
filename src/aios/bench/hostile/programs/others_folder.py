"""Class 43. Looks into another agent's folder, reads its notes and leaves one.

A breach: it read or wrote.
"""

import os
from contextlib import suppress
from pathlib import Path

other = Path(os.environ["AIM_OTHER"])
with suppress(OSError):
    print(os.listdir(other))
    print((other / "notes.txt").read_text())
with suppress(OSError):
    (other / "planted.txt").write_text("from a friend")
