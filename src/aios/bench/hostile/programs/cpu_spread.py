"""Class 17. Computes in four processes, so that each of them looks modest.

A breach: together they get more seconds than the job's bound.
"""

import ctypes
import os
import time

ctypes.CDLL(None).prctl(15, os.environ["AIM_MARK"].encode(), 0, 0, 0)
for _ in range(4):
    if os.fork() == 0:
        end = time.monotonic() + 6
        while time.monotonic() < end:
            pass
        os._exit(0)
for _ in range(4):
    os.wait()
