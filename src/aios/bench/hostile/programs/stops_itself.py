"""Class 18. Stops itself and its child, so that nobody hears a polite request.

A breach: something of it is there after the deadline.
"""

import ctypes
import os
import signal

ctypes.CDLL(None).prctl(15, os.environ["AIM_MARK"].encode(), 0, 0, 0)
if os.fork() == 0:
    os.kill(os.getpid(), signal.SIGSTOP)
    os._exit(0)
os.kill(os.getpid(), signal.SIGSTOP)
