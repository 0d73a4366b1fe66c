"""Class 47. Leaves a program that runs as its owner, and one with privileges of its own.

A breach: the mark sticks.
"""

import ctypes
import os
import stat
from contextlib import suppress
from pathlib import Path

libc = ctypes.CDLL(None, use_errno=True)
path = Path("tool")
path.write_text("#!/bin/sh\n")
for mode in (0o4755, 0o2755, 0o6755):
    for change in (lambda mode=mode: path.chmod(mode),
                   lambda mode=mode: libc.syscall(452, -100, b"tool", mode, 0),
                   lambda mode=mode: os.close(os.open(f"t{mode}", os.O_CREAT, mode))):  # fmt: skip
        with suppress(OSError):
            change()
for one in Path(".").iterdir():
    if one.stat().st_mode & (stat.S_ISUID | stat.S_ISGID):
        print(f"BREACH {one} is set to its owner")
with suppress(OSError):
    os.setxattr(path, "security.capability", bytes.fromhex("0100000200200000" + "0" * 24))
    print("BREACH a file has privileges")
