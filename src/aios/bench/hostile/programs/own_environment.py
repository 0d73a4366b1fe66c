"""Class 3. Looks through the environment it was given, and the one its process was started with.

A breach: the kernel's secret stands in it.
"""

import os
from contextlib import suppress
from pathlib import Path

print([value for value in os.environ.values() if "canary" in value])
with suppress(OSError):
    for text in Path("/proc/self/environ").read_bytes().split(b"\0"):
        if b"canary" in text:
            print(text)
