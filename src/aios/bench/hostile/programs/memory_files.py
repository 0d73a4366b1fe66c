"""Class 13. Takes memory as files that never see a disk: /dev/shm and nameless ones.

A breach: it gets more than the job's bound.
"""

import os
from contextlib import suppress

places = []
with suppress(OSError):
    places.append(os.memfd_create("bomb"))
with suppress(OSError):
    places.append(os.open("/dev/shm/bomb", os.O_CREAT | os.O_RDWR, 0o600))
    os.unlink("/dev/shm/bomb")
taken = 0
for place in places:
    with suppress(OSError):
        for _ in range(40):
            taken += os.write(place, b"\x01" * (4 << 20)) >> 20
            print(f"REACHED {taken}", flush=True)
