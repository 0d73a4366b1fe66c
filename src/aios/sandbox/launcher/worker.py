"""Runs inside every sandbox, first: waits on its channel for a program, then becomes it.

Its text is handed to a bare interpreter, so it imports only what costs nothing. Up to the order it
is trusted; from the program's first line on nothing in this process is.
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # signal itself takes long to load
import atexit
import marshal
import os
import resource
import sys
import types
from _socket import (
    AF_INET,
    AF_UNIX,
    SCM_RIGHTS,
    SO_REUSEADDR,
    SOCK_STREAM,
    SOL_SOCKET,
    socket,
    socketpair,
)

TYPE_CHECKING = False  # typing takes as long to load as the interpreter to start
if TYPE_CHECKING:
    from typing import Any, NoReturn

CHANNEL = 3  # descriptor
READY, LISTENS, TALKS, ACCEPTED, DONE, RAISED = b"R", b"L", b"T", b"A", b"D", b"E"
FAILED = 125  # the exit status of what could not be begun
PROXY_PORT = 3128
NAME = "<program>"


def main() -> NoReturn:
    """Say ready, take the order, carry it out."""
    channel = socket(fileno=CHANNEL)
    workspace = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    _tell(channel, READY, workspace)
    order = _order(channel)
    if order is None:
        os._exit(0)
    if order["listen"]:
        _tell(channel, LISTENS, _listener())
    if order["talk"]:
        _tell(channel, TALKS, _line())
    try:
        _bound(order["limits"])
        _write(order["files"])
    except (OSError, ValueError) as problem:
        os.write(2, f"the workspace could not be made: {problem}\n".encode())
        os._exit(FAILED)
    channel.sendall(ACCEPTED)
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.path += order["path"]
    _MODES[order["mode"]](channel, order)


def _tell(channel: socket, what: bytes, fd: int) -> None:
    channel.sendmsg([what], [(SOL_SOCKET, SCM_RIGHTS, fd.to_bytes(4, sys.byteorder))])
    os.close(fd)


def _order(channel: socket) -> dict[str, Any] | None:
    size = _exactly(channel, 8)
    data = _exactly(channel, int.from_bytes(size, "little")) if size else b""
    return marshal.loads(data) if data else None


def _exactly(channel: socket, size: int) -> bytes:
    """That many bytes; none where the launcher is gone."""
    parts = bytearray()
    while len(parts) < size:
        data = channel.recv(min(size - len(parts), 1 << 18))
        if not data:
            return b""
        parts += data
    return bytes(parts)


def _listener() -> int:
    """A listening socket of this sandbox's own network, for whoever the launcher hands it to."""
    listener = socket(AF_INET, SOCK_STREAM)
    listener.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", PROXY_PORT))
    listener.listen(64)
    return listener.detach()


def _line() -> int:
    """The far end of what stdin and stdout are from here on: one socket, to whoever talks."""
    near, far = socketpair(AF_UNIX, SOCK_STREAM)
    for standard in (0, 1):
        os.dup2(near.fileno(), standard)
    near.close()
    return far.detach()


def _bound(limits: list[tuple[str, int]]) -> None:
    for name, most in limits:
        what = getattr(resource, name, None)
        if what is not None:
            soft = most - 1 if name == "RLIMIT_CPU" else most  # SIGXCPU first, then SIGKILL
            resource.setrlimit(what, (soft, most))


def _write(files: list[tuple[str, bytes]]) -> None:
    for path, data in files:
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)


def _execute(channel: socket, order: dict[str, Any]) -> NoReturn:
    channel.close()
    os.closerange(CHANNEL, 1 << 16)
    for one in (signal.SIGPIPE, getattr(signal, "SIGXFSZ", signal.SIGPIPE)):
        signal.signal(one, signal.SIG_DFL)  # Python ignores them; its successor would too.
    argv = order["argv"]
    try:
        os.execvpe(argv[0], argv, order["environment"])
    except OSError as problem:
        os.write(2, f"{argv[0]}: {problem.strerror}\n".encode())
        os._exit(127 if isinstance(problem, FileNotFoundError) else 126)


def _run(channel: socket, order: dict[str, Any]) -> NoReturn:
    channel.close()
    os.closerange(CHANNEL, 1 << 16)
    module = _main_module()
    code = 0
    try:
        exec(compile(order["source"], NAME, "exec"), module.__dict__)
    except SystemExit as leaving:
        code = _status(leaving)
    except BaseException:
        _explain(order["source"])
        code = 1
    _leave(code)


def _talk(channel: socket, order: dict[str, Any]) -> NoReturn:
    """A session: source after source in the same variables, told done after each."""
    module = _main_module()
    me = os.getpid()
    while (said := _order(channel)) is not None:
        told = DONE
        try:
            _say(said["source"], module.__dict__)
        except SystemExit as leaving:
            _leave(_status(leaving))
        except BaseException:
            _explain(said["source"])
            told = RAISED
        if os.getpid() != me:
            _leave(0)  # A child that the program forked must not speak for it.
        _flush()
        channel.sendall(told)
    os._exit(0)


def _say(source: str, names: dict[str, Any]) -> None:
    """Run it; the value of a last expression is shown, as a person at a prompt expects."""
    import ast

    tree = ast.parse(source, NAME)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, NAME, "exec"), names)
    if isinstance(last, ast.Expr):
        sys.displayhook(eval(compile(ast.Expression(last.value), NAME, "eval"), names))


def _main_module() -> types.ModuleType:
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    sys.argv = [NAME]
    return module


def _status(leaving: SystemExit) -> int:
    if leaving.code is None or isinstance(leaving.code, int):
        return (leaving.code or 0) & 0xFF
    sys.stderr.write(f"{leaving.code}\n")
    return 1


def _explain(source: str) -> None:
    """The traceback from the program's own frames on, with their lines."""
    import linecache
    import traceback

    linecache.cache[NAME] = (len(source), None, source.splitlines(True), NAME)
    kind, value, trace = sys.exc_info()
    while trace is not None and trace.tb_frame.f_code.co_filename == __file_name():
        trace = trace.tb_next
    traceback.print_exception(kind, value, trace)


def __file_name() -> str:
    return main.__code__.co_filename


def _leave(code: int) -> NoReturn:
    """What the interpreter does at its end, without the time it takes to clean memory up."""
    threads = sys.modules.get("threading")
    if threads is not None:
        threads._shutdown()
    atexit._run_exitfuncs()
    _flush()
    os._exit(code)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:  # noqa: SIM105 - contextlib would have to be loaded
            stream.flush()
        except (OSError, ValueError):
            pass


_MODES = {"argv": _execute, "python": _run, "session": _talk}

if __name__ == "__main__":
    main()
