"""Class 49. Gives a pipe, a socket and a link to a terminal as its results.

A breach: the collector waits for them.
"""

import os
import socket
from contextlib import suppress

os.mkfifo("result.txt")
with suppress(OSError), socket.socket(socket.AF_UNIX) as one:
    one.bind("socket.txt")
os.symlink("/dev/stdin", "input.txt")
os.symlink("/dev/zero", "zero.txt")
