"""What a tool declares beside its schema: what it touches, how often, and what it may cost. Data.

A resource is any text that names one thing; `{path}` in it stands for the call's argument `path`.
Calls run side by side unless one of them writes what another reads or writes.
"""

from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from aios.errors import InvalidArgument

TIMEOUT_S = 300.0
RESULT_BYTES = 256 << 10
KEEPS = ("", "agent", "server")
TOUCHES = frozenset({"reads", "writes", "exclusive"})


class TermOptions(TypedDict, total=False):
    """The arguments of `@tool`; `Terms` says what they mean."""

    inline: bool
    timeout_s: float
    repeatable: bool
    retries: int
    reads: str | tuple[str, ...]
    writes: str | tuple[str, ...]
    exclusive: str | tuple[str, ...]
    instances: int
    per_minute: float
    result_bytes: int
    final: bool
    outside: bool
    source: str
    secrets: tuple[str, ...]
    price: float
    readers: tuple[str, ...] | None
    recipients: tuple[str, ...]
    sensitive: tuple[str, ...] | None
    keeps: Literal["", "agent", "server"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """`instances`, `per_minute`, `result_bytes`, `retries`, and all from `final` on bind where a
    kernel runs the tool; the others bind in an agent's own program too.
    """

    inline: bool = False  # a plain function runs on the event loop itself, not in a thread
    timeout_s: float = TIMEOUT_S
    repeatable: bool = False  # twice does no more than once
    retries: int = 0  # of a repeatable one, after an error of a moment
    is_declared: bool = False  # it says what it touches, be it nothing: `reads=()`
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    exclusive: tuple[str, ...] = ()  # had alone, though nothing of it changes: an account, a device
    instances: int | None = None  # calls at the same time
    per_minute: float | None = None
    result_bytes: int = RESULT_BYTES  # more is cut
    final: bool = False  # cannot be undone: a human is asked
    outside: bool = False  # reaches beyond the system
    source: str = ""  # where its results come from; empty: the operator's own code
    readers: tuple[str, ...] | None = None  # who may see its results; None: anybody
    recipients: tuple[str, ...] = ()  # arguments that say whom it shows something to
    sensitive: tuple[str, ...] | None = None  # arguments on which harm hangs; None: all of them
    secrets: tuple[str, ...] = ()  # names in the vault that it is handed
    price: float = 0.0  # money a call costs
    keeps: Literal["", "agent", "server"] = ""  # whose what it remembers between calls is


def terms_of(options: TermOptions) -> Terms:
    """One resource may be given as it is. Raises `InvalidArgument` for what cannot be."""
    given: dict[str, Any] = dict(options)
    unknown = given.keys() - TermOptions.__annotations__.keys()
    if unknown:
        raise InvalidArgument(
            f"expected options among {sorted(TermOptions.__annotations__)}, got {sorted(unknown)}"
        )
    for name in TOUCHES & given.keys():
        given[name] = (given[name],) if isinstance(given[name], str) else tuple(given[name])
    terms = Terms(**given, is_declared=bool(TOUCHES & given.keys()))
    if terms.retries and not terms.repeatable:
        raise InvalidArgument("retries: expected repeatable=True; twice may be once too often")
    if terms.keeps not in KEEPS:
        raise InvalidArgument(f"keeps: expected one of {KEEPS}, got {terms.keeps!r}")
    if terms.timeout_s <= 0 or (terms.instances or 1) < 1 or (terms.per_minute or 1) <= 0:
        raise InvalidArgument("expected timeout_s, instances and per_minute above 0")
    return terms
