"""Landlock: which parts of the file system a process and its children may still touch.

Knows no sandbox: folders and what may be done below them in, the calling process confined.
"""

import ctypes
import errno
import os
from collections.abc import Iterable

from aios.sandbox.launcher.system import checked, libc

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same on every processor
_VERSION = 1
_PATH_BENEATH = 1

EXECUTE, WRITE, READ, LIST = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REMOVE_FOLDER, REMOVE_FILE, MAKE_FOLDER, MAKE_FILE = 1 << 4, 1 << 5, 1 << 7, 1 << 8
MAKE_SOCKET, MAKE_FIFO, MAKE_LINK = 1 << 9, 1 << 10, 1 << 12
REFER, TRUNCATE, DEVICE_CONTROL = 1 << 13, 1 << 14, 1 << 15
LOOK = EXECUTE | READ | LIST
OWN = (
    LOOK | WRITE | REMOVE_FOLDER | REMOVE_FILE | MAKE_FOLDER | MAKE_FILE | MAKE_SOCKET | MAKE_FIFO
    | MAKE_LINK | REFER | TRUNCATE
)  # fmt: skip
USE = READ | WRITE | TRUNCATE  # a device such as /dev/null
_OF_FILES = EXECUTE | WRITE | READ | TRUNCATE | DEVICE_CONTROL
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
_FILE_RIGHTS_NOW = (1 << 16) - 1  # version 5 on
_TCP = 0b11  # bind and connect, version 4 on
_SCOPES = 0b11  # abstract sockets and signals, version 6 on


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scopes", ctypes.c_uint64),
    )


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("folder", ctypes.c_int32))


def version() -> int:
    """The version that this kernel has; 0 for none."""
    try:
        return checked(libc().syscall, _CREATE, None, ctypes.c_size_t(0), _VERSION)
    except (OSError, AttributeError):
        return 0


def restrict(rules: Iterable[tuple[str, int]]) -> None:
    """From now on this process may do below those paths what is said, and elsewhere nothing."""
    known = version()
    if known == 0:
        raise OSError(errno.ENOSYS, "Landlock is not there")
    handled = _FILE_RIGHTS.get(known, _FILE_RIGHTS_NOW)
    asked = _Ruleset(handled, _TCP if known >= 4 else 0, _SCOPES if known >= 6 else 0)
    size = ctypes.sizeof(asked) if known >= 6 else 16 if known >= 4 else 8
    ruleset = checked(libc().syscall, _CREATE, ctypes.byref(asked), ctypes.c_size_t(size), 0)
    for path, rights in rules:
        _allow(ruleset, path, rights & handled)
    checked(libc().syscall, _RESTRICT, ruleset, 0)
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    if not os.path.isdir(path):
        rights &= _OF_FILES
    rule = _Beneath(rights, folder)
    checked(libc().syscall, _ADD, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
    os.close(folder)
