"""Class 30. Looks whether it has any privilege, and whether it could gain one by a program.

A breach: it has, or could.
"""

import os
from contextlib import suppress
from pathlib import Path

status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
for name in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
    if int(status[name], 16):
        print(f"BREACH {name}{status[name]}")
if int(status["NoNewPrivs"]) != 1:
    print("BREACH programs may give new privileges")
with suppress(OSError):
    os.setgroups([0])
    print("BREACH chose its groups")
for change in (os.setuid, os.setgid, os.seteuid):
    with suppress(OSError):
        change(0 if os.getuid() else 1)
        print(f"BREACH {change.__name__}")
