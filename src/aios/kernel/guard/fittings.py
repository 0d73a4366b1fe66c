"""The parts that the guard of every booted kernel has beside the monitor, in one place."""

import os
from pathlib import Path

from aios.kernel.guard.accounts import Accounts
from aios.kernel.guard.flow_calls import Labels
from aios.kernel.guard.parts import Fitting
from aios.kernel.guard.vault import FILE, Vault


def fittings(home: Path) -> tuple[Fitting, ...]:
    """Of a kernel with that home."""
    vault = Vault(home / FILE, os.environ)
    labels = Labels()
    return (Accounts(home=home, vault=vault, label_of=labels.shown), labels)
