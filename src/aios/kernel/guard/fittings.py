"""The parts that the guard of every booted kernel has beside the monitor, in one place."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import cast

from aios.kernel.guard.accounts import Accounts, WatchesExits
from aios.kernel.guard.flow_calls import Labels
from aios.kernel.guard.parts import Fitting
from aios.kernel.guard.vault import FILE, Vault


def vault_of(home: Path) -> Vault:
    """A home's secrets."""
    return Vault(home / FILE, os.environ)


def fittings(home: Path, vault: Vault, ways: Iterable[object] = ()) -> tuple[Fitting, ...]:
    """Of a kernel with that home. Those of `ways` that lead to the network tell the audit."""
    labels = Labels()
    exits = tuple(cast(WatchesExits, one) for one in ways if hasattr(one, "watch_exits"))
    accounts = Accounts(home=home, vault=vault, label_of=labels.shown, exits=exits)
    return (accounts, labels)
