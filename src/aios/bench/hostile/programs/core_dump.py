"""Class 42. Dies so that its memory is written to disk.

A breach: it may, or a file is there.
"""

import os
import resource

_, hard = resource.getrlimit(resource.RLIMIT_CORE)
if hard:
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    print("BREACH may dump", flush=True)
if "AIM_CONFINED" in os.environ:
    os.abort()
