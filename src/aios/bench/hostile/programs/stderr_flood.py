"""Class 20. Writes without end to stderr, in single bytes first.

A breach: more of it is kept than the job's bound.
"""

import os

for _ in range(2_000):
    os.write(2, b"!")
for _ in range(16):
    data = memoryview(b"flood\n" * (1 << 17))
    while data:
        data = data[os.write(2, data) :]
