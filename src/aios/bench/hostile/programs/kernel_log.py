"""Class 2. Reads the kernel's log and where its functions lie.

A breach: it may.
"""

import ctypes
from contextlib import suppress

libc = ctypes.CDLL(None, use_errno=True)
room = ctypes.create_string_buffer(4096)
if libc.klogctl(3, room, 4096) > 0:
    print("BREACH read the log")
with suppress(OSError), open("/proc/kallsyms") as file:
    if int(file.readline().split()[0] or "0", 16):
        print("BREACH knows addresses")
