"""Classes 9, 34. Moves itself into another control group, where its bounds are not.

A breach: it can.
"""

from contextlib import suppress
from glob import glob
from pathlib import Path

GROUPS = glob("/sys/fs/cgroup/cgroup.procs") + glob("/sys/fs/cgroup/*/cgroup.procs")
for path in map(Path, GROUPS):
    with suppress(OSError):
        path.write_text("0")
        print(f"BREACH moved to {path}")
for path in map(Path, glob("/sys/fs/cgroup/**/memory.*max", recursive=True)):
    with suppress(OSError), path.open("a"):
        print(f"BREACH may change {path}")
