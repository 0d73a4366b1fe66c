"""Classes 1, 4. Reaches the secret through aliases of the root: /proc/*/root, /proc/*/cwd, dots.

A breach: the secret stands in what it wrote.
"""

import os
from contextlib import suppress
from pathlib import Path

SECRET = os.environ["AIM_SECRET"].lstrip("/")
STARTS = ["/proc/self/root", "/proc/1/root", "/proc/1/cwd/" + "../" * 20, "../" * 20]
STARTS += [f"/proc/{os.environ[name]}/root" for name in ("AIM_PID", "AIM_KERNEL")]
STARTS += [f"/proc/{os.getppid()}/root", "/proc/self/cwd/" + "../" * 20, "//", "/./"]
for start in STARTS:
    with suppress(OSError):
        print(Path(start, SECRET).read_text())
