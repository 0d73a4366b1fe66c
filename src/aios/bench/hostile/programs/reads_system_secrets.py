"""Class 2. Reads what only the machine's owner may: password hashes, host keys, kernel memory.

A breach: one of them opens.
"""

from contextlib import suppress
from pathlib import Path

PLACES = ("/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/proc/kcore")
for path in [*map(Path, PLACES), *Path("/etc/ssh").glob("ssh_host_*_key")]:
    with suppress(OSError), path.open("rb") as file:
        if file.read(1):
            print(f"BREACH read {path}")
