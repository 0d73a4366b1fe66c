"""Class 9. Every child starts two more, seven times over; each waits.

A breach: more are alive at a time than the job's bound.
"""

import os
import time

heard, said = os.pipe()
depth, is_root = 0, True
while depth < 7:
    depth += 1
    try:
        for _ in range(2):
            if os.fork() == 0:
                is_root = False
                os.write(said, b".")
                break
        else:
            break
    except OSError:
        break
time.sleep(0.8)
if is_root:
    os.set_blocking(heard, False)
    try:
        print(f"REACHED {1 + len(os.read(heard, 4096))}")
    except BlockingIOError:
        print("REACHED 1")
os._exit(0) if not is_root else None
