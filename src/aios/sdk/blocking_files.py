"""`Files` for plain threads. Every method is made from the client's own, as in `blocking`."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from aios.sdk.files import Files

P = ParamSpec("P")
R = TypeVar("R")


class Run(Protocol):
    """Runs a coroutine on the event loop of another thread, and waits for it in this one."""

    def __call__(self, work: Coroutine[Any, Any, R], /) -> R: ...


def _blocking(
    method: Callable[Concatenate[Files, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate["SyncFiles", P], R]:
    @wraps(method)
    def run(self: "SyncFiles", /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._run(method(self._files, *args, **kwargs))

    return run


class SyncFiles:
    """An agent's files, for a thread that is not the event loop's."""

    def __init__(self, files: Files, run: Run) -> None:
        self._files = files
        self._run = run

    create = _blocking(Files.create)
    mkdir = _blocking(Files.mkdir)
    read = _blocking(Files.read)
    read_text = _blocking(Files.read_text)
    write = _blocking(Files.write)
    append = _blocking(Files.append)
    edit = _blocking(Files.edit)
    list = _blocking(Files.list)
    stat = _blocking(Files.stat)
    move = _blocking(Files.move)
    copy = _blocking(Files.copy)
    delete = _blocking(Files.delete)
    restore = _blocking(Files.restore)
    bin = _blocking(Files.bin)
    search = _blocking(Files.search)
    versions = _blocking(Files.versions)
    diff = _blocking(Files.diff)
    rollback = _blocking(Files.rollback)
    share = _blocking(Files.share)
    links = _blocking(Files.links)
    revoke = _blocking(Files.revoke)
    open_link = _blocking(Files.open_link)
    mount = _blocking(Files.mount)
    unmount = _blocking(Files.unmount)
    mounts = _blocking(Files.mounts)
    transaction = _blocking(Files.transaction)
    usage = _blocking(Files.usage)
