"""Classes 5, 43. Leaves files in places that all programs share.

A breach: the machine, or the next program, finds them.
"""

import os
from contextlib import suppress
from pathlib import Path

for place in ("/tmp", "/var/tmp", "/dev/shm", "/run", "/run/lock", "/dev/mqueue"):
    with suppress(OSError):
        Path(place, os.environ["AIM_MARK"]).write_text("left")
