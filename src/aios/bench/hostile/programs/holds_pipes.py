"""Classes 19, 20. Ends at once; its child keeps the output open and goes on.

A breach: the job's end waits for the child, or the child outlives it.
"""

import ctypes
import os
import time

ctypes.CDLL(None).prctl(15, os.environ["AIM_MARK"].encode(), 0, 0, 0)
if os.fork() == 0:
    os.setsid()
    time.sleep(6)
    os._exit(0)
time.sleep(0.3)
print("done", flush=True)
os._exit(0)
