"""The Landlock tier's last step, in the child, before its program: files and system calls.

What it may see comes with the order; a failure is an error, never less confinement.
"""

import ctypes
from typing import Any

from aios.sandbox.launcher import landlock
from aios.sandbox.launcher.system import (
    PR_SET_NO_NEW_PRIVS,
    PR_SET_SECCOMP,
    SECCOMP_MODE_FILTER,
    prctl,
)

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
INSTRUCTION_BYTES = 8


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def confine(view: dict[str, Any], seccomp: bytes) -> None:
    """Confine this process for good to `view`: folders to read, folders of its own."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    rules = [(path, landlock.LOOK) for path in view["readable"]]
    rules += [(path, landlock.OWN) for path in view["own"]]
    rules += [(path, landlock.USE) for path in DEVICES]
    landlock.restrict(rules)
    program = _Program(len(seccomp) // INSTRUCTION_BYTES, seccomp)
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program))
