"""Class 25. Opens raw sockets, with which packets are forged.

A breach: one opens.
"""

import socket
from contextlib import suppress

for family in (socket.AF_INET, socket.AF_INET6):
    for protocol in (socket.IPPROTO_ICMP, socket.IPPROTO_RAW, socket.IPPROTO_TCP):
        with suppress(OSError), socket.socket(family, socket.SOCK_RAW, protocol):
            print(f"BREACH raw {family.name}")
