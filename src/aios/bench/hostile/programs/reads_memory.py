"""Class 29. Reads a bystander's memory, by its file and by a system call.

A breach: the bystander's secret stands in what it wrote.
"""

import ctypes
import os
import re
from contextlib import suppress
from pathlib import Path

process = Path("/proc", os.environ["AIM_PID"])
with suppress(OSError):
    for line in process.joinpath("maps").read_text().splitlines():
        start, end = (int(text, 16) for text in line.split()[0].split("-"))
        if "rw-p" not in line or end - start > 1 << 26:
            continue
        with suppress(OSError), process.joinpath("mem").open("rb", buffering=0) as memory:
            memory.seek(start)
            for found in set(re.findall(rb"canary-[0-9a-f]{32}", memory.read(end - start))):
                print(found)
libc = ctypes.CDLL(None, use_errno=True)
room = ctypes.create_string_buffer(8)
vector = (ctypes.c_size_t * 2)(ctypes.addressof(room), 8)
for pid in (os.environ["AIM_PID"], os.environ["AIM_KERNEL"]):
    libc.process_vm_readv(int(pid), vector, 1, vector, 1, 0)
    if ctypes.get_errno() in (0, 14):  # it only did not find that address there
        print(f"BREACH read in {pid}")
    ctypes.set_errno(0)
