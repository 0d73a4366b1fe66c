"""Class 24. Connects to services of this machine over TCP.

A breach: one of them is reached.
"""

import os
import socket
from contextlib import suppress

port = int(os.environ["AIM_TCP"])
for host in ["127.0.0.1", "::1", "0.0.0.0", "localhost", *os.environ["AIM_HOSTS"].split()]:
    with suppress(OSError), socket.create_connection((host, port), timeout=0.3) as one:
        one.sendall(b"from inside")
