"""Class 36. Types into terminals, its own and others'.

A breach: one takes it.
"""

import fcntl
import os
from contextlib import suppress
from glob import glob

TIOCSTI, TIOCLINUX = 0x5412, 0x541C
opened = [0, 1, 2]
for path in ["/dev/tty", "/dev/console", "/dev/tty0", "/dev/tty1", *glob("/dev/pts/*")]:
    with suppress(OSError):
        opened.append(os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY))
for one in opened:
    for call, what in ((TIOCSTI, b"#"), (TIOCLINUX, b"\x06")):
        with suppress(OSError):
            fcntl.ioctl(one, call, what)
            print("BREACH typed")
with suppress(OSError):
    os.close(os.open("/dev/tty", os.O_RDWR))
    print("BREACH has a terminal")
