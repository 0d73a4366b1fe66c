"""How parts of the guard come into a kernel: a fitting makes them from what the kernel has.

A fitting answers for one concern. It may fill a place in the guard, bring handlers of its own
syscalls, and ask to be opened, once the journal's processes are there and before the first call.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from aios.access.base import Effect
from aios.access.monitor import Monitor
from aios.access.policy import OPEN, Policy
from aios.kernel.dispatch import Handler, Kind, Reading
from aios.kernel.environment import Environment
from aios.kernel.guard.base import Asker, Flow, Ledger, Witness
from aios.kernel.guard.vault import Vault
from aios.kernel.open_call import Meter
from aios.kernel.table import ProcessTable
from aios.kernel.waits import Waits
from aios.telemetry.bus import Bus
from aios.tools.base import Terms

TermsOf = Callable[[str], Terms | None]
"""What a tool declares of itself; None for one that is not known, or not yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a part may use of the kernel. `monitor.policy` is the policy in force."""

    environment: Environment  # clock, random, limits, journal
    table: ProcessTable
    waits: Waits
    bus: Bus
    monitor: Monitor
    is_stopping: Callable[[], bool]
    terms_of: TermsOf


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What one fitting brings, or all of them together."""

    flow: Flow | None = None
    asker: Asker | None = None
    ledger: Ledger | None = None
    witness: Witness | None = None
    readings: Mapping[Kind, Reading] = field(default_factory=dict)
    handlers: Mapping[Kind, Handler] = field(default_factory=dict)
    effects: Mapping[Kind, Callable[[Any], Effect]] = field(default_factory=dict)
    """Where a call's effect is not the same for all calls of its kind, as with tools."""
    meter: Meter | None = None
    vault: Vault | None = None
    open: Sequence[Callable[[], Awaitable[None]]] = ()
    close: Sequence[Callable[[], Awaitable[None]]] = ()  # once every call is answered


Fitting = Callable[[Setting], Parts]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """What stands around a kernel's agents: the policy, and the parts that carry it out."""

    policy: Policy = OPEN
    fittings: Sequence[Fitting] = ()


def fitted(fittings: Sequence[Fitting], setting: Setting) -> Parts:
    """All parts as one. Two for one place are a mistake of whoever wires them."""
    found: dict[str, Any] = {}
    for fitting in fittings:
        parts = fitting(setting)
        for name in (one.name for one in fields(Parts)):
            given = getattr(parts, name)
            if isinstance(given, Mapping):
                assert not set(given) & set(found.get(name, ())), f"two bring {name} for one call"
                found[name] = {**found.get(name, {}), **given}
            elif isinstance(given, tuple | list):
                found[name] = (*found.get(name, ()), *given)
            elif given is not None:
                assert name not in found, f"the guard has a {name} already"
                found[name] = given
    return Parts(**found)
