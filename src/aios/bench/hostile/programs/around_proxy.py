"""Class 24. Has a proxy to go through, and goes round it.

A breach: the machine's own service is reached.
"""

import os
import socket
from contextlib import suppress

for host in ["127.0.0.1", *os.environ["AIM_HOSTS"].split()]:
    with suppress(OSError), socket.create_connection((host, int(os.environ["AIM_TCP"])), 0.3) as on:
        on.sendall(b"from inside")
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.sendto(b"from inside", (host, int(os.environ["AIM_UDP"])))
