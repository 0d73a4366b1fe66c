"""Class 19. Leaves a process behind that became another program, with nothing of the job about it.

A breach: it is alive when the job has ended.
"""

import os
import time

if os.fork() == 0:
    os.setsid()
    os.chdir("/")
    os.execve("/bin/sh", [os.environ["AIM_MARK"], "-c", "sleep 6; exit 0"], {})
time.sleep(0.3)
os._exit(0)
