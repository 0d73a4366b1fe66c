"""Who runs next: pure policies over facts."""

from collections.abc import Callable
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
        raise NotFound(f"no policy {name!r}; known: {sorted(POLICIES)}")
    try:
        return kind(**options)
    except TypeError as problem:
        raise InvalidArgument(f"options of policy {name!r}: {problem}") from None
