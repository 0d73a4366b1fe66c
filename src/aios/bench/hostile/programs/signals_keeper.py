"""Class 28. Stops and kills whoever started it, and the first process it sees.

A breach: the job does not end, or nobody can have another one.
"""

import os
import signal
import time
from contextlib import suppress

# Where nothing is confined its parent is the benchmark: then it only asks whether it could.
is_confined = "AIM_CONFINED" in os.environ
for pid in {os.getppid(), 1}:
    for number in (signal.SIGSTOP, signal.SIGKILL) if is_confined else (0,):
        with suppress(OSError):
            os.kill(pid, number)
time.sleep(0.2)
