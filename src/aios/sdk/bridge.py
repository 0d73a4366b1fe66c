"""Makes a method that blocks a thread of one that is awaited. Knows no client."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C")
C_co = TypeVar("C_co", covariant=True)


class Blocking(Protocol[C_co]):
    """Has the client whose methods are awaited, and a way to wait for them in this thread."""

    @property
    def _client(self) -> C_co: ...

    def _run(self, work: Coroutine[Any, Any, R]) -> R: ...


def blocking(
    method: Callable[Concatenate[C, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[Blocking[C], P], R]:
    """The same method, with the same parameters, for a thread."""

    @wraps(method)
    def run(self: Blocking[C], /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._run(method(self._client, *args, **kwargs))

    return run


class Sync(Generic[C]):
    """A sub-client, and how its client waits for what it starts."""

    def __init__(self, client: C, run: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        self._client = client
        self._run = run
