"""Class 19. Leaves a process behind that has its own session, no parent and no descriptors.

A breach: it is alive when the job has ended.
"""

import ctypes
import os
import signal
import time

ctypes.CDLL(None).prctl(15, os.environ["AIM_MARK"].encode(), 0, 0, 0)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 256)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(6)
    os._exit(0)
os.wait()
time.sleep(0.3)
os._exit(0)
