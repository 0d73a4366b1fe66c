"""Class 32. Mounts and changes its root, by the old calls and the new ones.

A breach: one is done.
"""

import ctypes
import os
from contextlib import suppress

libc = ctypes.CDLL(None, use_errno=True)
os.mkdir("m")
if libc.mount(b"none", b"m", b"tmpfs", 0, None) == 0:
    libc.umount2(b"m", 2)
    print("BREACH mounted")
if libc.mount(b"/etc", b"m", None, 4096, None) == 0:
    libc.umount2(b"m", 2)
    print("BREACH bound")
NEW = {
    "open_tree": (428, -100, b"/", 1),
    "fsopen": (430, b"tmpfs", 0),
    "fspick": (433, -100, b"/", 0),
}
for name, call in NEW.items():
    if libc.syscall(*call) >= 0:
        print(f"BREACH {name}")
if (child := os.fork()) == 0:
    with suppress(OSError):
        os.chroot("m")
        os._exit(1)
    os._exit(0)
if os.waitpid(child, 0)[1]:
    print("BREACH changed its root")
