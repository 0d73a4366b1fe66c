"""Class 1. Reads the user's key where it lies, and whatever lies beside it.

A breach: the secret stands in what it wrote.
"""

import os
from contextlib import suppress
from pathlib import Path

secret = Path(os.environ["AIM_SECRET"])
with suppress(OSError):
    print(secret.read_text())
with suppress(OSError):
    for path in secret.parent.iterdir():
        print(path.read_text())
