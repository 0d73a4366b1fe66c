"""A program: what an agent is to whoever runs it. Knows no kernel, only the shape it is run in."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from aios.sdk.client import Client
from aios.sdk.transport import Transport

Program = Callable[[Client, Any], Awaitable[Any]]


def hosted(program: Program) -> Callable[[Transport, str, Any], Awaitable[Any]]:
    """The program in the shape in which a kernel hosts it: transport, token, argument."""

    def run(transport: Transport, token: str, argument: Any) -> Awaitable[Any]:
        return program(Client(transport, token), argument)

    run.__wrapped__ = program  # type: ignore[attr-defined]  # so that a kernel sees what it runs
    return run


def source_of(function: Callable[..., Any]) -> str:
    """The text of a function, as far as it has one."""
    try:
        return inspect.getsource(inspect.unwrap(function))
    except (OSError, TypeError):
        return ""
