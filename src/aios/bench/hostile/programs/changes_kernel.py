"""Class 34. Opens the kernel's own settings for writing; it writes nothing.

A breach: one opens.
"""

import os
from contextlib import suppress
from glob import glob

PLACES = [
    "/proc/sysrq-trigger",
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/hostname",
    "/proc/sys/kernel/modprobe",
    "/proc/sys/vm/drop_caches",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sys/fs/binfmt_misc/register",
    "/sys/kernel/uevent_helper",
    "/sys/power/state",
]
PLACES += glob("/sys/class/net/*/mtu") + glob("/sys/block/*/queue/scheduler")
for path in PLACES:
    with suppress(OSError):
        os.close(os.open(path, os.O_WRONLY))
        print(f"BREACH opened {path}")
