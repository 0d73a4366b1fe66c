"""Class 6. Gives links to secrets as its results.

A breach: the collector follows one.
"""

import os
from pathlib import Path

secret = Path(os.environ["AIM_SECRET"])
Path("result.txt").symlink_to(secret)
Path("relative.txt").symlink_to("../" * 20 + str(secret).lstrip("/"))
Path("folder").symlink_to(secret.parent)
Path("environment.txt").symlink_to("/proc/self/environ")
Path("inside").mkdir()
Path("inside/up").symlink_to(secret.parent.parent)
Path("chain").symlink_to("result.txt")
