"""Class 17. Computes without end.

A breach: it is alive after its deadline.
"""

import ctypes
import os

ctypes.CDLL(None).prctl(15, os.environ["AIM_MARK"].encode(), 0, 0, 0)
while True:
    pass
