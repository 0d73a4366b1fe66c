"""Clients of a crash test: each makes its steps one after the other and writes down each reply.

After a crash a crowd over the same home and ledger goes on: a step whose outcome nobody heard is
asked again with its key, one without a key is given up as unknown.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aios.errors import DeadlineExceeded
from aios.kernel.hosting import Program
from aios.kernel.kernel import Kernel
from aios.sdk import Client, Toolbox, hosted, tool
from aios.syscalls import Spawn, Spawned, ToolCall, memory
from aios.testing.ledger import BIRTH, Entry, Ledger
from aios.testing.outside import Outside
from aios.testing.steps import ALL, NOTHING, Kind, Step, call_of, fact_of, step

DIARY = b"begun;done;"  # of a worker that came to its end


class Crowd:
    """Clients 0, 1, ...; each sends to the next."""

    def __init__(
        self, kernel: Kernel, ledger: Ledger, clients: int, kinds: Sequence[Kind] = ALL
    ) -> None:
        self.kernel = kernel
        self.ledger = ledger
        self.clients = clients
        self.kinds = kinds
        self.born: list[Spawned] = []

    async def resume(self) -> None:
        """Every client is there again, and knows what became of its last step."""
        await self.gather()
        await self._all(self._settle)

    async def gather(self) -> None:
        """Every client is there again."""
        self.born = await asyncio.gather(*map(self._birth, range(self.clients)))

    async def go_on(self, steps: int | None = None) -> None:
        """So many steps of each client, or without end."""
        await self._all(lambda client: self._steps(client, steps))

    async def ask(self, one: Step) -> Entry:
        """Make a step, now or again; what came of it."""
        friend = self.born[(one.client + 1) % self.clients].pid
        before = self.ledger.known(one.client).get(one.number - 1)
        worker = before.fact if before and isinstance(before.fact, int) else 0
        call, token = call_of(one, friend, worker), self.born[one.client].token
        try:
            fact = fact_of(one, await self.kernel.call(token, call, key=one.key))
        except DeadlineExceeded:
            if one.kind is not Kind.RECEIVE:
                raise
            fact = NOTHING
        return Entry(one.client, one.number, fact)

    def step(self, client: int, number: int) -> Step:
        return step(client, number, self.kinds)

    async def _birth(self, client: int) -> Spawned:
        kernel = self.kernel
        key = f"client {client}"
        born = await kernel.call(kernel.token, Spawn(name=f"client-{client}"), key=key)
        if BIRTH not in self.ledger.known(client):
            self.ledger.note(Entry(client, BIRTH, born.pid))
        return born

    async def _settle(self, client: int) -> None:
        one = self.step(client, self.ledger.next_of(client))
        if one.key:
            self.ledger.note(await self.ask(one))
        else:
            self.ledger.note(Entry(client, one.number, "", is_known=False))

    async def _steps(self, client: int, steps: int | None) -> None:
        number = self.ledger.next_of(client)
        end = None if steps is None else number + steps
        while number != end:
            self.ledger.note(await self.ask(self.step(client, number)))
            number += 1

    async def _all(self, work: Callable[[int], Awaitable[None]]) -> None:
        await asyncio.gather(*map(work, range(self.clients)))


def programs(outside: Outside) -> Mapping[str, Program]:
    """The workers that clients employ: durable, each acts in the outside world once."""

    @tool(inline=True)
    async def act(what: str) -> str:
        """Do something in the world."""
        outside.act(what)
        return what

    tools = Toolbox([act])

    async def worker(client: Client, text: Any) -> str:
        begun, done = DIARY[:6], DIARY[6:]
        await client.call(memory.Append(name="diary", data=begun))
        owner = f"client-{text.partition('.')[0]}"
        await client.call(memory.Share(name="diary", agent=owner))
        call = ToolCall(id=text, name="act", arguments=f'{{"what": "{text}"}}')
        said = await tools.run(call, client)
        await client.call(memory.Append(name="diary", data=done))
        return said.content or ""

    return {"worker": hosted(worker)}
