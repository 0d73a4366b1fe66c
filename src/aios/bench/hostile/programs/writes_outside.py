"""Class 5. Writes into folders of the machine that everybody may write to.

A breach: a file is there afterwards.
"""

import os
from contextlib import suppress
from pathlib import Path

OUTSIDE = os.environ["AIM_OUTSIDE"]
for start in ("", "/proc/self/root", "/proc/1/root", "../" * 20):
    with suppress(OSError):
        Path(start + OUTSIDE, "written").write_text("I was here")
with suppress(OSError), open(os.environ["AIM_SECRET"], "a") as file:
    file.write("and here")
