"""The kernel. Start one with `boot`, or wire one by hand with `Kernel`."""

from aios.kernel.boot import boot, settings_for
from aios.kernel.kernel import Kernel

__all__ = ["Kernel", "boot", "settings_for"]
