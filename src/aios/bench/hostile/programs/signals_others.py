"""Class 28. Sends signals to a bystander and to the kernel.

A breach: the bystander got one, or the kernel could have.
"""

import os
import signal
from contextlib import suppress

with suppress(OSError):
    os.kill(int(os.environ["AIM_PID"]), signal.SIGUSR1)
with suppress(OSError):
    os.kill(int(os.environ["AIM_KERNEL"]), 0)
    print("BREACH the kernel can be signalled")
