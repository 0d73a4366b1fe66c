"""Class 8. Takes all rights from its files and folders, and makes them unchangeable.

A breach: whoever collects or clears up falls over, or the mark sticks.
"""

import fcntl
import os
import struct
from contextlib import suppress
from pathlib import Path

SET_FLAGS, IMMUTABLE = 0x40086602, 0x10
Path("inner/deep").mkdir(parents=True)
Path("inner/deep/result.txt").write_text("locked")
with suppress(OSError):
    handle = os.open("inner/deep/result.txt", os.O_RDONLY)
    fcntl.ioctl(handle, SET_FLAGS, struct.pack("l", IMMUTABLE))
    fcntl.ioctl(handle, SET_FLAGS, struct.pack("l", 0))
    print("BREACH made a file unchangeable")
for name in ("inner/deep/result.txt", "inner/deep", "inner", "."):
    os.chmod(name, 0)
