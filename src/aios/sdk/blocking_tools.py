"""`Tools` for plain threads. Every method is made from the client's own, as in `blocking`."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from aios.sdk.blocking_files import Run
from aios.sdk.tools import Tools

P = ParamSpec("P")
R = TypeVar("R")


def _blocking(
    method: Callable[Concatenate[Tools, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate["SyncTools", P], R]:
    @wraps(method)
    def run(self: "SyncTools", /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._run(method(self._tools, *args, **kwargs))

    return run


class SyncTools:
    """The kernel's tools, for a thread that is not the event loop's."""

    def __init__(self, tools: Tools, run: Run) -> None:
        self._tools = tools
        self._run = run

    list = _blocking(Tools.list)
    show = _blocking(Tools.show)
    call = _blocking(Tools.call)
    batch = _blocking(Tools.batch)
    accept = _blocking(Tools.accept)
    add = _blocking(Tools.add)
    remove = _blocking(Tools.remove)
