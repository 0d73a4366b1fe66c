"""Opening one thing in a folder that an enemy made: nothing that leads elsewhere is gone through.

Linux can be told so in the call itself (`openat2`); elsewhere a single name is opened without
following a link, which says the same of one step. Never blocks, never becomes a terminal's owner.
"""

import ctypes
import errno
import os
import sys

_OPENAT2 = 437  # the same number on every kind of processor but one that is not built any more
_NO_XDEV, _NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH = 0x01, 0x02, 0x04, 0x08
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class _How(ctypes.Structure):
    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


def open_beneath(folder: int, name: str, flags: int = 0) -> int:
    """A descriptor of the open folder's entry. Raises `OSError`, also where it is a link."""
    assert name not in ("", ".", ".."), "downward"
    assert "/" not in name, "one step"
    if _has_openat2:
        return _openat2(folder, name, _FLAGS | flags)
    return os.open(name, _FLAGS | flags, dir_fd=folder)


def _openat2(folder: int, name: str, flags: int) -> int:
    how = _How(flags, 0, _NO_XDEV | _NO_MAGICLINKS | _NO_SYMLINKS | _BENEATH)
    found = int(_syscall(_OPENAT2, folder, os.fsencode(name), ctypes.byref(how), _HOW_BYTES))
    if found < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)
    return found


def _probed() -> bool:
    """Whether the kernel has the call, and whoever confines this process lets it be made."""
    if sys.platform != "linux":
        return False
    try:
        _openat2(-1, "x", _FLAGS)
    except OSError as error:
        return error.errno == errno.EBADF
    return False


_HOW_BYTES = ctypes.sizeof(_How)
_syscall = ctypes.CDLL(None, use_errno=True).syscall
_syscall.argtypes = (
    ctypes.c_long, ctypes.c_int, ctypes.c_char_p, ctypes.POINTER(_How), ctypes.c_size_t
)  # fmt: skip
_syscall.restype = ctypes.c_long
_has_openat2 = _probed()
