"""Class 18. Ignores every signal that can be ignored, and waits.

A breach: it is alive after its deadline.
"""

import ctypes
import os
import signal
import time
from contextlib import suppress

ctypes.CDLL(None).prctl(15, os.environ["AIM_MARK"].encode(), 0, 0, 0)
for number in signal.valid_signals():
    with suppress(OSError, ValueError):
        signal.signal(number, signal.SIG_IGN)
end = time.monotonic() + 6
while time.monotonic() < end:
    time.sleep(0.1)
