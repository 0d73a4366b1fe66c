"""What a tool declares beside its schema: what it touches, how often, and what it may cost. Data.

A resource is any text that names one thing; `{path}` in it stands for the call's argument `path`.
Calls run side by side unless one of them writes what another reads or writes.
"""

from typing import Any, Literal, TypedDict

from aios.errors import InvalidArgument
from aios.syscalls.terms import Declared

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


class Terms(Declared, frozen=True, kw_only=True):
    """`instances`, `per_minute`, `result_bytes`, `retries`, and all from `final` to `price` bind
    where a kernel runs the tool; the others bind in an agent's own program too.
    """

    inline: bool = False  # a plain function runs on the event loop itself, not in a thread


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
