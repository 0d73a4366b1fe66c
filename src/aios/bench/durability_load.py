"""How fast a kernel with everything on disk answers calls that have effects.

A client is a process with its own token and one open call at a time: a closed loop, so with N
clients a call takes N divided by the calls a second, and what the clients themselves cost is in it.
The mix is one call of each family in turn, every client beginning at another.
"""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import msgspec

from aios.bench.stats import percentile
from aios.clock import WallClock
from aios.kernel.kernel import Kernel
from aios.syscalls import Message, Receive, Send, Spawn, Spawned, Syscall, history, memory, note
from aios.testing.homes import kernel_in

LINE = b"x" * 64
WARM_S = 0.3
SPAWNS_AT_ONCE = 100

T = TypeVar("T")
Call = Callable[[Spawned, int], Syscall[Any]]  # of a client, its n-th


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """Of a number of clients; the documented fields."""

    p50_ms: float
    p99_ms: float
    per_s: float


MIX: dict[str, Call] = {
    "memory.append": lambda me, n: memory.Append(name=f"log {n // 1_000}", data=LINE),
    "process.send": lambda me, n: Send(pid=me.pid, body=n),
    "memory.write": lambda me, n: memory.Write(name="state", data=LINE),
    "process.receive": lambda me, n: Receive(),
    "note.add": lambda me, n: note.Add(text=f"the {n}th thing that agent {me.pid} should know"),
    "memory.write, with a key": lambda me, n: memory.Write(name="state", data=LINE),
}
ALONE: dict[str, Call] = {
    **{name: call for name, call in MIX.items() if name != "process.receive"},
    "history.extend": lambda me, n: history.Extend(
        name=f"talk {n // 1_000}", messages=(Message("user", f"word {n}"),)
    ),
}
"""What is also measured one by one."""


def mixed(clients: int, seconds: float) -> Load:
    """All families in turn, in a home of its own."""
    return asyncio.run(_in_a_home(lambda kernel: _measured(kernel, MIX, clients, seconds)))


def by_family(clients: int, seconds: float) -> dict[str, Load]:
    """Each family alone, one after the other, in one home."""

    async def families(kernel: Kernel) -> dict[str, Load]:
        return {
            name: await _measured(kernel, {name: call}, clients, seconds)
            for name, call in ALONE.items()
        }

    return asyncio.run(_in_a_home(families))


async def _in_a_home(measure: Callable[[Kernel], Awaitable[T]]) -> T:
    with TemporaryDirectory(prefix="aios-load-") as name:
        async with kernel_in(Path(name) / "home") as kernel:
            return await measure(kernel)


async def _measured(kernel: Kernel, mix: dict[str, Call], clients: int, seconds: float) -> Load:
    clock = WallClock()
    spawned: list[Spawned] = []
    while len(spawned) < clients:
        wanted = range(len(spawned), min(clients, len(spawned) + SPAWNS_AT_ONCE))
        spawned += await asyncio.gather(*(_spawned(kernel, number) for number in wanted))
    begins = clock.now() + WARM_S
    ends = begins + seconds
    latencies: list[float] = []
    calls = list(mix.items())

    async def client(place: int, me: Spawned) -> None:
        for number in count():
            name, call = calls[(place + number) % len(calls)]
            asked = clock.now()
            if asked >= ends:
                return
            key = str(number) if name.endswith("key") else ""
            await kernel.call(me.token, call(me, number), key=key)
            if begins <= asked:
                latencies.append(clock.now() - asked)

    async with asyncio.TaskGroup() as group:
        for place, me in enumerate(spawned):
            group.create_task(client(place, me))
    took = clock.now() - begins
    return Load(
        p50_ms=percentile(latencies, 50) * 1e3,
        p99_ms=percentile(latencies, 99) * 1e3,
        per_s=len(latencies) / took,
    )


async def _spawned(kernel: Kernel, number: int) -> Spawned:
    """A new client, with a letter in its mailbox, so that it never waits for one."""
    me = await kernel.call(kernel.token, Spawn(name=f"client-{number}"))
    await kernel.call(me.token, Send(pid=me.pid, body=number))
    return me
