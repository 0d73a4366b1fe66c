"""Class 29. Attaches to a bystander, to the kernel and to its own keeper as a debugger.

A breach: one lets it.
"""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
SEIZE, DETACH = 0x4206, 17  # to seize stops nobody
for pid in {int(os.environ["AIM_PID"]), os.getppid(), 1}:
    if pid != os.getpid() and libc.ptrace(SEIZE, pid, None, None) == 0:
        libc.ptrace(DETACH, pid, None, None)
        print(f"BREACH traced {pid}")
