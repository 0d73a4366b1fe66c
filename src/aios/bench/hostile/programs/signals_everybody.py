"""Class 28. Sends a signal to every process it may, one that most do not even notice.

A breach: the bystander got one.
"""

import os
import signal
from contextlib import suppress

with suppress(OSError):
    os.kill(-1, signal.SIGURG)
with suppress(OSError):
    os.killpg(os.getpgid(int(os.environ["AIM_PID"])), signal.SIGURG)
