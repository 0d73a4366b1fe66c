"""Class 45. Opens files until there are no more to be had.

A breach: it has more open than the job's bound.
"""

import os

count = 3
try:
    for _ in range(700):
        os.open("/dev/null", os.O_RDONLY)
        count += 1
except OSError:
    pass
print(f"REACHED {count}")
