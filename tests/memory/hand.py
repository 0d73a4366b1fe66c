"""Drives the handlers of the rooms by hand: with a journal in memory nothing ever waits."""

from collections.abc import Coroutine
from typing import Any, TypeVar

from aios.journal.base import Journal, Work

T = TypeVar("T")


def done(work: Coroutine[Any, Any, T]) -> T:
    """What the coroutine returns; it must not wait for anything."""
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    work.close()
    raise AssertionError("expected a coroutine that waits for nothing")


def ask(room: Any, journal: Journal, agent: str, call: Any) -> Any:
    """The reply of the handler that is named after the syscall's verb."""
    verb = call.__struct_config__.tag.partition(".")[2]
    return done(getattr(room, verb)(agent, call, Work(journal)))
