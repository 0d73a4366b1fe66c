"""Class 13. Takes memory that is shared between processes and belongs to none.

A breach: it gets more than the job's bound.
"""

import mmap
import os

shared = mmap.mmap(-1, 320 << 20)
for taken in range(8, 321, 8):
    if os.fork() == 0:
        shared[(taken - 8) << 20 : taken << 20] = b"\x01" * (8 << 20)
        os._exit(0)
    _, status = os.wait()
    if status:
        break
    print(f"REACHED {taken}", flush=True)
