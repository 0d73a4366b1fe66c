"""Class 12. Takes memory in eight processes that are small each.

A breach: together they get more than the job's bound.
"""

import mmap
import os
import time

shared = mmap.mmap(-1, 4096)  # how many blocks each child has
children = []
for number in range(8):
    if (child := os.fork()) == 0:
        blocks = []
        for count in range(1, 6):
            blocks.append(b"\x01" * (8 << 20))
            shared[number] = count
        time.sleep(1.5)
        os._exit(0)
    children.append(child)
end = time.monotonic() + 1.2
while time.monotonic() < end:
    held = list(shared[:8])
    time.sleep(0.01)
    for number, child in enumerate(children):
        if child and os.waitpid(child, os.WNOHANG)[0]:
            children[number] = 0
    # Who lives now held its blocks then; what was killed meanwhile may have made room for others.
    print(
        f"REACHED {8 * sum(h for h, child in zip(held, children, strict=True) if child)}",
        flush=True,
    )
