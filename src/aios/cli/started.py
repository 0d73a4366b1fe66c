"""A program started on a running kernel: its rights and budgets first, then it, then its output."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, NamedTuple

from aios.cli.logs import written
from aios.cli.remote import client_of
from aios.errors import AiosError, InvalidArgument

if TYPE_CHECKING:
    from aios.sdk.client import Client
    from aios.syscalls import Exited
    from aios.syscalls.budget import Resource

STDIN = 0
KILLED = 128 + signal.SIGKILL
OWN_SPEECH = ("AIOS_TOKEN_FILE",)  # the caller's, beside what the kernel sets for the program


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What is started; grants and budgets as they were written."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)  # where the caller's has none
    settings: Mapping[str, str] = field(default_factory=dict)  # whatever the caller's has
    priority: int = 0
    grants: Sequence[str] = ()
    budgets: Sequence[str] = ()
    durable: bool = False


class Grant(NamedTuple):
    """A right as it is written: VERBS, then @OWNER and :OBJECT where it is not all of its own."""

    verbs: str
    owner: str
    object: str


def grant_of(text: str) -> Grant:
    """The right in `file.read@travel:notes/*`."""
    head, _, thing = text.partition(":")
    verbs, at, owner = head.partition("@")
    if not verbs or (at and not owner) or text.endswith(":"):
        raise InvalidArgument(f"grant: expected VERBS[@OWNER][:OBJECT], got {text!r}")
    return Grant(verbs, owner or "@self", thing or "*")


def budget_of(text: str) -> tuple["Resource", float]:
    """The limit in `tokens=10000`."""
    from aios.syscalls.budget import Resource

    kind, _, amount = text.partition("=")
    try:
        return Resource(kind), float(amount)
    except ValueError:
        kinds = ", ".join(Resource)
        raise InvalidArgument(
            f"budget: expected KIND=AMOUNT with one of {kinds}, got {text!r}"
        ) from None


def name_of(argv: Sequence[str]) -> str:
    """What `aios ps` will call it: the script that an interpreter is given, or the program."""
    words = [PurePath(word) for word in argv]
    script = next((word for word in words if word.suffix in (".py", ".js", ".ts", ".sh")), words[0])
    return script.stem[:128] or "program"


async def begun(client: "Client", what: Start) -> int:
    """Its pid. It has its rights and budgets before its first line runs."""
    grants = [grant_of(text) for text in what.grants]
    budgets = [budget_of(text) for text in what.budgets]
    held = (await client.access.list(what.name)).capabilities if grants else ()
    known = {Grant(one.verbs, one.owner, one.object) for one in held if one.uses is None}
    for one in grants:
        if one not in known:
            await client.access.grant(what.name, one.verbs, owner=one.owner, object=one.object)
    for resource, limit in budgets:
        await client.budgets.set(what.name, resource, limit)
    environment = {
        "PYTHONUNBUFFERED": "1",  # Or a log would be silent until the program ends.
        **what.environment,
        **{name: value for name, value in os.environ.items() if name not in OWN_SPEECH},
        **what.settings,
    }
    readable = {name: text for name, text in environment.items() if _is_text(name + text)}
    spawned = await client.programs.start(
        what.name,
        what.argv,
        str(Path.cwd()),
        readable,
        takes_input=True,
        priority=what.priority,
        durable=what.durable,
    )
    return spawned.pid


def start(url: str, what: Start, *, detach: bool) -> int:
    """Start it; the exit code: its own, unless it is left to itself."""

    async def main() -> int:
        async with client_of(url) as client:
            pid = await begun(client, what)
            if detach:
                await client.programs.feed(pid, is_last=True)
                print(pid)
                return 0
            return await _attended(url, client, pid)

    return asyncio.run(main())


async def _attended(url: str, client: "Client", pid: int) -> int:
    """Show what it writes until it ends; a signal that would end us ends it."""
    loop = asyncio.get_running_loop()
    caught: list[int] = []
    kills: set[asyncio.Task[None]] = set()

    def end_it(number: int) -> None:
        caught.append(number)
        kills.add(loop.create_task(_killed(client, pid)))

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, end_it, number)
    threading.Thread(target=_feed, args=(loop, client, pid), daemon=True).start()
    await written(url, pid, follows=True)
    code = _code(await client.wait(pid))
    return 128 + caught[0] if caught else code


def _code(ended: "Exited") -> int:
    if ended.state == "killed":
        return KILLED
    if ended.state == "exited":
        return 0
    if isinstance(ended.result, int):
        return ended.result
    sys.stderr.write(f"aios: {ended.error}\n")
    return 1


async def _killed(client: "Client", pid: int) -> None:
    with suppress(AiosError):  # It has ended meanwhile.
        await client.kill(pid)


def _feed(loop: asyncio.AbstractEventLoop, client: "Client", pid: int) -> None:
    """Hand our input on, as fast as the program takes it. Runs in a thread that nobody awaits."""
    from aios.syscalls.program import FEED_BYTES_MAX

    is_open = True
    while is_open:
        data = _read(FEED_BYTES_MAX)
        feeding = client.programs.feed(pid, data, is_last=not data)
        try:
            fed = asyncio.run_coroutine_threadsafe(feeding, loop).result()
        except Exception:  # The kernel, the program or the loop is gone.
            feeding.close()
            return
        is_open = fed.is_open and bool(data)


def _read(bytes_max: int) -> bytes:
    """Input, or none where there is none for us: whoever is in the background has no terminal."""
    try:
        if os.isatty(STDIN) and os.tcgetpgrp(STDIN) != os.getpgrp():
            return b""
        return os.read(STDIN, bytes_max)
    except OSError:
        return b""


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
