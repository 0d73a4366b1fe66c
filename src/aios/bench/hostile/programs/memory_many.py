"""Class 12. Takes memory in eight processes that are small each.

A breach: together they get more than the job's bound.
"""

import os
import time

heard, said = os.pipe()
for _ in range(8):
    if os.fork() == 0:
        blocks = []
        for _ in range(5):
            blocks.append(b"\x01" * (8 << 20))
            os.write(said, b".")
        time.sleep(1.0)
        os._exit(0)
os.close(said)
held = 0
while got := os.read(heard, 64):
    held += 8 * len(got)
    print(f"REACHED {held}", flush=True)
