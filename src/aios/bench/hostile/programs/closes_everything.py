"""Class 18. Closes every descriptor it has, so that nobody can tell it anything, and waits.

A breach: it is alive after its deadline.
"""

import ctypes
import os
import time

ctypes.CDLL(None).prctl(15, os.environ["AIM_MARK"].encode(), 0, 0, 0)
os.closerange(0, 256)
time.sleep(6)
