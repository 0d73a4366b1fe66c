"""Renames that replace nothing, or swap: what a look before a rename cannot promise.

Linux has them, on most of its disks. Elsewhere callers fall back to a look and a plain rename,
between which somebody else's file can be lost.
"""

import ctypes
import errno
import os
import sys
from enum import IntEnum

MISSING = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP})


class Manner(IntEnum):
    """Flags of `renameat2`."""

    NEW = 1  # fails where something has the name
    SWAP = 2  # fails where nothing has


def try_rename(name: str, to: str, folders: tuple[int, int], manner: Manner) -> bool:
    """Rename between two open folders; False where this machine or disk has no such rename.

    Raises the operating system's errors, `FileExistsError` among them.
    """
    if _renameat2 is None:
        return False
    old, new = folders
    if not _renameat2(old, os.fsencode(name), new, os.fsencode(to), manner):
        return True
    number = ctypes.get_errno()
    if number in MISSING:
        return False
    raise OSError(number, os.strerror(number), to)


def _found() -> "ctypes._NamedFuncPointer | None":
    if sys.platform != "linux":
        return None
    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if function is not None:
        text = ctypes.c_char_p
        function.argtypes = (ctypes.c_int, text, ctypes.c_int, text, ctypes.c_uint)
    return function


_renameat2 = _found()
