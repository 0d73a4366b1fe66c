"""Class 31. Makes namespaces in which it would be root, and enters those of others.

A breach: it gets one.
"""

import ctypes
import os
from contextlib import suppress

libc = ctypes.CDLL(None, use_errno=True)
FLAGS = {"user": 0x10000000, "mount": 0x20000, "pid": 0x20000000, "network": 0x40000000,
         "user and mount": 0x10020000, "cgroup": 0x02000000, "time": 0x80}  # fmt: skip
for name, flag in FLAGS.items():
    if (child := os.fork()) == 0:
        os._exit(libc.unshare(flag) == 0)
    if os.waitpid(child, 0)[1]:
        print(f"BREACH made {name}")
for pid in ("1", os.environ["AIM_KERNEL"]):
    with suppress(OSError):
        handle = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY)
        if libc.setns(handle, 0) == 0:
            print(f"BREACH entered {pid}'s")
