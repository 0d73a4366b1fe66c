"""Class 44. Gives the machine the name it has.

A breach: it may.
"""

import socket
from contextlib import suppress

with suppress(OSError):
    socket.sethostname(socket.gethostname())
    print("BREACH named the machine")
