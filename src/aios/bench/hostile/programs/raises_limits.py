"""Classes 9, 45. Raises its own limits above what it was given.

A breach: it may.
"""

import resource
from contextlib import suppress

for name in ("RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_CPU", "RLIMIT_MEMLOCK"):
    _, hard = resource.getrlimit(getattr(resource, name))
    more = resource.RLIM_INFINITY if hard != resource.RLIM_INFINITY else hard
    with suppress(OSError, ValueError):
        resource.setrlimit(getattr(resource, name), (more, more))
        if hard != more:
            print(f"BREACH raised {name} from {hard}")
with suppress(OSError, ValueError):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard + 1, hard + 1))
    print("BREACH raised its files")
