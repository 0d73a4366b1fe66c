"""Class 8. Names its results so that they fool whoever shows, joins or splits names.

A breach: a file comes back under a name that is not plain text below the workspace.
"""

import os
from contextlib import suppress

NAMES = (
    b"new\nline", b"\x1b[2Jclear", b"not \xff utf-8", b"-rf", b"~", b"$(id)", b" ", b"...", b"a\\b",
    b"CON", b"x" * 255, "gpj.\u202eexe".encode(), "line\u2028end".encode(), b"%2e%2e%2fup", b"\r",
    b"\x7f", b"\t",
)  # fmt: skip
for name in NAMES:
    with suppress(OSError), open(os.path.join(b".", name), "wb") as file:
        file.write(b"x")
