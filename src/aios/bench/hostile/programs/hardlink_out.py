"""Class 7. Gives second names of secrets as its results, and writes to others through them.

A breach: the collector brings the secret, or a file outside has changed.
"""

import os
from contextlib import suppress
from pathlib import Path

with suppress(OSError):
    os.link(os.environ["AIM_SECRET"], "result.txt")
with suppress(OSError):
    os.link(Path(os.environ["AIM_OUTSIDE"], "precious"), "mine.txt")
    Path("mine.txt").write_text("changed")
