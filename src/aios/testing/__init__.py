"""The kit for testing AIOS and programs on it: virtual time and a core without a model."""

from aios.testing.cores import ScriptedCore
from aios.testing.loop import Deadlock, SimLoop, run
from aios.testing.script import INSTANT, NO_FAULTS, Faults, Script
from aios.testing.store import ScriptedStore

__all__ = [
    "INSTANT", "NO_FAULTS", "Deadlock", "Faults", "Script", "ScriptedCore", "ScriptedStore",
    "SimLoop", "run",
]  # fmt: skip
