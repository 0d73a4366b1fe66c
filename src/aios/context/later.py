"""Work done at once, told as work that is awaited. Knows nothing of the work."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from aios.errors import AiosError

T = TypeVar("T")


def at_once(work: Callable[[], T]) -> Future[T]:
    """The outcome of `work`, an error too, in a future that is done."""
    told: Future[T] = Future()
    try:
        told.set_result(work())
    except AiosError as problem:
        told.set_exception(problem)
    return told
