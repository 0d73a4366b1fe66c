"""Class 29. Takes descriptors out of a bystander's and the kernel's hands.

A breach: it gets one.
"""

import ctypes
import os
from contextlib import suppress

PIDFD_GETFD = 438
libc = ctypes.CDLL(None, use_errno=True)
for pid in {int(os.environ["AIM_PID"]), int(os.environ["AIM_KERNEL"]), os.getppid()}:
    with suppress(OSError):
        handle = os.pidfd_open(pid)
        for number in range(3):
            if libc.syscall(PIDFD_GETFD, handle, number, 0) >= 0:
                print(f"BREACH has descriptor {number} of {pid}")
    with suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/fd") if pid != os.getppid() else ():
            os.close(os.open(f"/proc/{pid}/fd/{name}", os.O_RDONLY | os.O_NONBLOCK))
            print(f"BREACH opened descriptor {name} of {pid}")
