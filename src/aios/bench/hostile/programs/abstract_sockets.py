"""Class 27. Connects to a service by an abstract name, which no file system guards.

A breach: it is reached.
"""

import os
import socket
from contextlib import suppress

for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
    with suppress(OSError), socket.socket(socket.AF_UNIX, kind) as one:
        one.connect("\0" + os.environ["AIM_ABSTRACT"])
        one.send(b"from inside")
