"""How long a stopped kernel's home takes to open: from a new process to its first answers.

The home has agents, each with a process, a block of memory and ten notes; some have a conversation
and a file. What counts: starting Python, its imports, opening the journal and the rooms, the
process table, and the first call of every family by an agent of before, a note search by words and
meaning among them. What does not: the model of an engine (the core is scripted), and reading from
a cold disk where the system does not let go of the pages (it is asked to).
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import msgspec

from aios.clock import WallClock
from aios.kernel.kernel import Kernel
from aios.syscalls import Ok, Syscall, file, history, llm, memory, note, process
from aios.syscalls.note import Note
from aios.testing.homes import kernel_in

AGENTS = 10_000
NOTES_EACH = 10
WITH_MORE = 100  # of the agents, those with a conversation and a file
AT_ONCE = 200
LIMIT_S = 120.0
PENDING_PAUSE_S = 0.5
T = TypeVar("T")

WORDS = tuple(
    first + middle + last
    for first in ("ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu", "ra", "se")
    for middle in ("lar", "men", "nit", "pod", "rus", "sal", "tem", "vin")
    for last in ("", "s", "ing", "ed", "or", "al", "ic", "um")
)


class Restart(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds; `parts` in order, each from the end of the one before."""

    restart_s: float
    parts: dict[str, float]
    agents: int
    notes: int


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """A home that was built, and an agent of it that will ask."""

    folder: str
    token: str
    note: Note  # one of its notes, which its text must find
    agents: int
    notes: int


def build(folder: Path, seed: int, agents: int = AGENTS, notes_each: int = NOTES_EACH) -> Home:
    """Through syscalls, like any home; then its kernel is stopped. Takes a minute."""
    return asyncio.run(_build(folder, Random(seed), agents, notes_each))


def measure(built: Home) -> Restart:
    """Open the home in a new process."""
    for path in Path(built.folder).rglob("*"):
        _let_go(path)
    clock = WallClock()
    began = clock.now()
    command = [sys.executable, "-c", f"from {__name__} import main; main()"]
    asked = msgspec.json.encode({"home": built, "began": began})
    done = subprocess.run(command, input=asked, stdout=subprocess.PIPE, timeout=LIMIT_S, check=True)
    parts = msgspec.json.decode(done.stdout.splitlines()[-1], type=dict[str, float])
    return Restart(
        restart_s=sum(parts.values()), parts=parts, agents=built.agents, notes=built.notes
    )


class _Asked(msgspec.Struct, frozen=True):
    home: Home
    began: float


def main() -> None:
    """In the new process: open, ask, tell when each was done."""
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=_Asked)
    parts = asyncio.run(_opened(asked))
    sys.stdout.buffer.write(msgspec.json.encode(parts) + b"\n")


async def _opened(asked: _Asked) -> dict[str, float]:
    clock = WallClock()
    marks = [("python and imports", clock.now())]
    async with kernel_in(Path(asked.home.folder)) as kernel:
        marks.append(("journal, rooms, processes", clock.now()))
        for name, call, is_answered in _first_calls(asked.home.note):
            reply = await kernel.call(asked.home.token, call)
            assert is_answered(reply), f"{name}: {reply}"
            marks.append((name, clock.now()))
    befores = [asked.began, *(at for _, at in marks)]
    return {name: at - before for (name, at), before in zip(marks, befores, strict=False)}


def _first_calls(known: Note) -> Sequence[tuple[str, Syscall[Any], Callable[[Any], bool]]]:
    """One of each family, and what is true of its answer."""
    core = llm.Generate(token_ids=(1, 2), decoding=llm.Decoding(max_tokens=2, seed=1))
    return (
        ("process.whoami", process.WhoAmI(), lambda reply: bool(reply.pid)),
        ("memory.read", memory.Read(name="state"), lambda reply: bool(reply.data)),
        ("history.read", history.Turns(name="talk"), lambda reply: len(reply.messages) == 2),
        ("file.read", file.ReadFile(path="paper"), lambda reply: bool(reply.data)),
        (
            "note.search",
            note.Search(query=known.text),
            lambda reply: reply.notes[0].note.id == known.id and reply.notes[0].semantic_rank == 1,
        ),
        ("process.send", process.Send(pid=1, body="it goes on"), lambda reply: reply == Ok()),
        ("llm.generate", core, lambda reply: len(reply.choices) == 1),
    )


async def _build(folder: Path, chance: Random, agents: int, notes_each: int) -> Home:
    async with kernel_in(folder) as kernel:
        born = await _together(range(agents), lambda number: _agent(kernel, number))
        notes = await _together(
            [(one, number) for number in range(notes_each) for one in born],
            lambda what: kernel.call(what[0].token, note.Add(text=_text(chance))),
        )
        for one in born[:WITH_MORE]:
            await _more(kernel, one)
        while (await kernel.call(born[0].token, note.Search())).pending:
            await WallClock().sleep(PENDING_PAUSE_S)
    return Home(
        folder=str(folder), token=born[0].token, note=notes[0], agents=agents, notes=len(notes)
    )


async def _agent(kernel: Kernel, number: int) -> process.Spawned:
    born = await kernel.call(kernel.token, process.Spawn(name=f"agent-{number}"))
    await kernel.call(born.token, memory.Write(name="state", data=b"x" * 100))
    return born


async def _more(kernel: Kernel, agent: process.Spawned) -> None:
    talk = (llm.Message("user", "who are you"), llm.Message("assistant", "an agent"))
    await kernel.call(agent.token, history.Extend(name="talk", messages=talk))
    await kernel.call(agent.token, file.WriteFile(path="paper", data=b"y" * 100))


async def _together(what: Iterable[T], act: Callable[[T], Awaitable[Any]]) -> list[Any]:
    """In order, so many at a time."""
    items, done = list(what), []
    for at in range(0, len(items), AT_ONCE):
        done += await asyncio.gather(*map(act, items[at : at + AT_ONCE]))
    return done


def _text(chance: Random) -> str:
    return " ".join(chance.choices(WORDS, k=8))


def _let_go(path: Path) -> None:
    """Ask the system to forget what it has read of a file."""
    with suppress(OSError):
        fd = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(fd)
