"""What the sub-clients of the families share: the client they belong to, and `verb`.

A method that only makes its syscall is made of it: parameters, defaults, reply and words stand
once, in `syscalls/`. What converts an argument or takes a key is written out beside it.
"""

import inspect
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from aios.syscalls import Syscall

P = ParamSpec("P")
R = TypeVar("R")


class Caller(Protocol):
    """Makes syscalls for one process."""

    async def call(self, call: Syscall[R], *, key: str = "") -> R: ...


class Speaker(Protocol):
    """Has a client to speak by."""

    @property
    def _client(self) -> Caller: ...


class Family:
    """The syscalls of one family, made by one client."""

    def __init__(self, client: Caller) -> None:
        self._client = client


def verb(
    kind: Callable[P, Syscall[R]],
) -> Callable[Concatenate[Speaker, P], Coroutine[Any, Any, R]]:
    """The method that makes a syscall of that kind; it takes the syscall's fields, in order."""

    async def method(self: Speaker, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await self._client.call(kind(*args, **kwargs))

    method.__name__ = method.__qualname__ = getattr(kind, "__name__", "")
    method.__doc__ = kind.__doc__
    fields = inspect.signature(kind)
    me = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    signature = fields.replace(parameters=[me, *fields.parameters.values()])
    method.__signature__ = signature  # type: ignore[attr-defined]  # as `inspect` looks for it
    return method
