"""Class 33. Opens the machine's disks, memory, terminals and makers of devices.

A breach: one opens, or it makes one of its own.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path

NAMES = ("mem", "kmem", "port", "kmsg", "kvm", "fuse", "net/tun", "vsock", "vhost-net", "uinput",
         "loop-control", "loop0", "vda", "sda", "nvme0n1", "rtc0", "hwrng", "snapshot", "console",
         "mapper/control", "nvidia0", "dri/card0", "input/event0", "watchdog", "ptp0")  # fmt: skip
for path in (Path("/dev", name) for name in NAMES):
    # A watchdog that was once open resets the machine.
    if path.name == "watchdog" and "AIM_CONFINED" not in os.environ:
        continue
    with suppress(OSError):
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY))
        print(f"BREACH opened {path}")
for kind in (stat.S_IFCHR, stat.S_IFBLK):
    with suppress(OSError):
        os.mknod(f"made{kind}", 0o666 | kind, os.makedev(1, 1))
        print("BREACH made a device")
