"""Opening a folder in one call that refuses every symbolic link on the way, where Linux has it.

Walking there step by step says the same, in ten calls. Each call gives the interpreter's lock away,
and among busy threads it takes long to get it back: that was most of what a write cost.
"""

import ctypes
import os
import sys

_OPENAT2 = 437  # the same number on every kind of processor but one that is not built any more
_FROM_HERE = -100  # AT_FDCWD; our paths are absolute
_NO_LINKS = 0x04  # RESOLVE_NO_SYMLINKS


class _How(ctypes.Structure):
    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


def opened_at_once(path: str, flags: int) -> int | None:
    """The file descriptor; None where this way does not lead there, whatever the reason."""
    if _syscall is None:
        return None
    how = _How(flags, 0, _NO_LINKS)
    found = int(_syscall(_OPENAT2, _FROM_HERE, os.fsencode(path), ctypes.byref(how), _HOW_BYTES))
    return found if found >= 0 else None


_syscall = ctypes.CDLL(None).syscall if sys.platform == "linux" else None
if _syscall is not None:
    _syscall.argtypes = (
        ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.POINTER(_How), ctypes.c_size_t
    )  # fmt: skip
    _syscall.restype = ctypes.c_long
_HOW_BYTES = ctypes.sizeof(_How)
