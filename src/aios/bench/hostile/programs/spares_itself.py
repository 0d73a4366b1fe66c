"""Class 11. Tells the kernel to kill others first when memory runs out.

A breach: the kernel agrees.
"""

from contextlib import suppress
from pathlib import Path

with suppress(OSError):
    Path("/proc/self/oom_score_adj").write_text("-500")
    print("BREACH spared")
