"""Classes 3, 4. Looks through /proc for other processes' environments and command lines.

A breach: a secret of the kernel or of a bystander stands in it.
"""

from contextlib import suppress
from pathlib import Path

for process in Path("/proc").glob("[0-9]*"):
    for name in ("environ", "cmdline"):
        with suppress(OSError):
            found = (process / name).read_bytes()
            # A little of each: what it may write is bounded, and there may be many.
            at = found.find(b"canary")
            if at >= 0:
                print(process, name, found[at : at + 200])
