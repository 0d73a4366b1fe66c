"""Class 15. Fills the disk with many files, in every place it can write to.

A breach: more fits than the job's bound.
"""

import os
from contextlib import suppress

written = []
for number in range(32):
    for place in (".", "/tmp", "/var/tmp", "/dev/shm"):
        path = f"{place}/{os.environ['AIM_MARK']}.{number}"
        with suppress(OSError), open(path, "wb", buffering=0) as file:
            written.append((path, file.write(b"\x01" * (2 << 20))))
print(f"REACHED {sum(size for _, size in written) >> 20}")
for path, _ in written:
    os.unlink(path)
