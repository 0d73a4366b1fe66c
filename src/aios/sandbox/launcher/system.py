"""Linux calls that Python has no name for: prctl, unshare, mount. Raises `OSError`."""

import ctypes
import os
from collections.abc import Callable
from functools import cache

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
PR_SET_SECCOMP = 22
PR_SET_CHILD_SUBREAPER = 36
SECCOMP_MODE_FILTER = 2
CLONE_NEWNS = 0x00020000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_BIND = 1, 2, 4, 4096
MS_REC, MS_PRIVATE = 16384, 1 << 18
MNT_DETACH = 2


@cache
def libc() -> ctypes.CDLL:
    """The C library of this process."""
    return ctypes.CDLL(None, use_errno=True)


def checked(call: Callable[..., int], *arguments: object) -> int:
    """The result of a C call, or its errno as `OSError`."""
    result = call(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def prctl(option: int, second: object = 0, third: object = 0) -> None:
    checked(libc().prctl, option, _word(second), _word(third), _word(0), _word(0))


def unshare(flags: int) -> None:
    checked(libc().unshare, flags)


def mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    names = [text.encode() if text else None for text in (source, target, kind, data)]
    checked(libc().mount, names[0], names[1], names[2], ctypes.c_ulong(flags), names[3])


def unmount(target: str) -> None:
    """Take a mount away; who still uses it keeps it until then."""
    checked(libc().umount2, target.encode(), MNT_DETACH)


def bind_read_only(source: str, target: str) -> None:
    """Show a folder at a second place, read-only."""
    mount(source, target, "", MS_BIND)
    mount("none", target, "", MS_BIND | 32 | MS_RDONLY | MS_NOSUID | MS_NODEV)


def own_mounts() -> bool:
    """From now on mounts are seen by this process and its children alone, where that is allowed."""
    try:
        unshare(CLONE_NEWNS)
        mount("none", "/", "", MS_REC | MS_PRIVATE)
    except (OSError, AttributeError):  # No right to, or no Linux.
        return False
    return True


def _word(value: object) -> object:
    return ctypes.c_ulong(value) if isinstance(value, int) else value
