"""Class 13. Leaves shared memory, a queue and semaphores that belong to no process.

A breach: the machine still has them.
"""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
KEY, MAKE = int(os.environ["AIM_MARK"][2:9], 16), 0o1666
libc.shmget(KEY, 4096, MAKE)
libc.msgget(KEY, MAKE)
libc.semget(KEY, 1, MAKE)
