"""Class 48. Says a little for ever, so that it is never idle.

A breach: it is alive after its deadline.
"""

import ctypes
import os
import time

ctypes.CDLL(None).prctl(15, os.environ["AIM_MARK"].encode(), 0, 0, 0)
end = time.monotonic() + 6
while time.monotonic() < end:
    print(".", end="", flush=True)
    time.sleep(0.05)
