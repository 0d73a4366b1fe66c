"""Classes 24, 35. Opens sockets of families that no network namespace holds back.

A breach: one to the machine below, the kernel's crypto or the raw wire opens.
"""

import socket
from contextlib import suppress

FAMILIES = {"vsock": 40, "alg": 38, "packet": 17, "bluetooth": 31, "tipc": 30, "can": 29, "key": 15,
            "x25": 9, "rds": 21, "xdp": 44, "smc": 43, "qipcrtr": 42, "nfc": 39}  # fmt: skip
KINDS = (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET)
for name, family in FAMILIES.items():
    for kind in KINDS:
        with suppress(OSError), socket.socket(family, kind, 2 if name == "key" else 0):
            print(f"BREACH opened {name}")
