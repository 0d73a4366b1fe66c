"""Class 23. Reads from every descriptor it was started with, and climbs up from open folders.

A breach: the secret stands in what it wrote, or a folder leads out.
"""

import os
import stat
from contextlib import suppress

SECRET = os.environ["AIM_SECRET"].lstrip("/")
for number in range(3, 4_096):
    with suppress(OSError):
        mode = os.fstat(number).st_mode
        if stat.S_ISDIR(mode):
            up = os.open("../" * 20 + SECRET, os.O_RDONLY, dir_fd=number)
            print(number, os.read(up, 4_096))
        elif stat.S_ISREG(mode):
            print(number, os.pread(number, 4_096, 0))
