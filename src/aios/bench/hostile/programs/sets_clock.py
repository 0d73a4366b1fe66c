"""Class 44. Sets the machine's clock to what it is.

A breach: it may.
"""

import time
from contextlib import suppress

with suppress(OSError):
    time.clock_settime(time.CLOCK_REALTIME, time.time())
    print("BREACH set the clock")
