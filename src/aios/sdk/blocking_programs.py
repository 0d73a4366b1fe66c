"""`SyncClient.programs`: the same methods for plain threads."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from aios.sdk.blocking_files import Run
from aios.sdk.programs import ProgramClient

P = ParamSpec("P")
R = TypeVar("R")


def _blocking(
    method: Callable[Concatenate[ProgramClient, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate["SyncProgramClient", P], R]:
    @wraps(method)
    def run(self: "SyncProgramClient", /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._run(method(self._programs, *args, **kwargs))

    return run


class SyncProgramClient:
    """Programs outside of the kernel, for a thread that is not the event loop's."""

    def __init__(self, programs: ProgramClient, run: Run) -> None:
        self._programs = programs
        self._run = run

    start = _blocking(ProgramClient.start)
    feed = _blocking(ProgramClient.feed)
    log = _blocking(ProgramClient.log)
