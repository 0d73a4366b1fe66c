"""Class 14. Gives a file of holes as large as a disk.

A breach: the collector believes its size.
"""

from contextlib import suppress

for size in (1 << 44, 1 << 40, 1 << 33, 1 << 30, 1 << 27):
    with suppress(OSError), open(f"holes{size}.txt", "wb") as file:
        file.truncate(size)
