"""Class 31. Makes a namespace by the calls that start a process, old and new.

A breach: it gets one.
"""

import ctypes
import os
import struct

libc = ctypes.CDLL(None, use_errno=True)
CLONE3, SIGCHLD, NEWUSER = 435, 17, 0x10000000
clone = {"x86_64": 56, "aarch64": 220}.get(os.uname().machine, -1)
calls = {
    "clone3": (CLONE3, struct.pack("<QQQQQQQQ", NEWUSER, 0, 0, 0, SIGCHLD, 0, 0, 0), 64),
    "clone": (clone, NEWUSER | SIGCHLD, 0, 0, 0, 0),
}
for name, call in calls.items():
    pid = libc.syscall(*call)
    if pid == 0:
        os._exit(0)
    if pid > 0:
        os.waitpid(pid, 0)
        print(f"BREACH {name}")
