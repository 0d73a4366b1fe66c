"""Class 22. Writes what a result might look like to every descriptor it has, and ends with 7.

A breach: the outcome says anything but "exited with 7".
"""

import os
import socket
from contextlib import suppress

FORGED = (b'{"ended":"exited","code":0}\n', b"D", b"E", b"R", b"\0" * 64, b"\x85\0\0\0\0")
for number in range(3, 64):
    for text in FORGED:
        with suppress(OSError):
            os.set_blocking(number, False)
            os.write(number, text)
    with suppress(OSError), socket.socket(fileno=os.dup(number)) as one:
        one.sendmsg([b"D"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, (1).to_bytes(4, "little"))])
os._exit(7)
