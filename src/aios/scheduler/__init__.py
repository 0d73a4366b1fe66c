"""Who runs next: pure policies over facts."""

from collections.abc import Callable
from inspect import signature
from typing import Any

from aios.errors import InvalidArgument, NotFound
from aios.scheduler.base import Policy
from aios.scheduler.fifo import Fifo
from aios.scheduler.priority import Priority
from aios.scheduler.round_robin import RoundRobin

__all__ = ["POLICIES", "Fifo", "Policy", "Priority", "RoundRobin", "make"]

POLICIES: dict[str, Callable[..., Policy]] = {
    kind.name: kind for kind in (Fifo, RoundRobin, Priority)
}


def make(name: str, **options: Any) -> Policy:
    """The policy of that name; `options` are the arguments of its constructor."""
    kind = POLICIES.get(name)
    if kind is None:
        raise NotFound(f"no policy {name!r}; known: {', '.join(POLICIES)}")
    known = signature(kind).parameters
    for option in options:
        if option not in known:
            raise InvalidArgument(
                f"policy {name} has no option {option}; expected {' or '.join(known) or 'none'}"
            )
    return kind(**options)
