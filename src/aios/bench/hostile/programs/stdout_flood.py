"""Class 20. Writes without end to stdout.

A breach: more of it is kept than the job's bound.
"""

import os

for _ in range(48):
    data = memoryview(b"flood\n" * (1 << 17))
    while data:
        data = data[os.write(1, data) :]
