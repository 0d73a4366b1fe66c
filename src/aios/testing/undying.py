"""A kernel that is killed again and again in virtual time, over one journal that survives it.

Clients ask until they are answered, always with the same key, and remember what they were told.
Durable programs run meanwhile. At the end nothing that was acknowledged is lost, nothing was done
twice, and who asks again is told the same.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec

from aios.config import Limits
from aios.errors import Busy, NoSpace, ShuttingDown
from aios.kernel.environment import Environment
from aios.kernel.invariants import violations
from aios.kernel.kernel import Kernel
from aios.kernel.process import INIT
from aios.scheduler import POLICIES, make
from aios.sdk import Client, Toolbox, hosted, tool
from aios.syscalls import Syscall, llm, process
from aios.testing.cores import ScriptedCore
from aios.testing.crash import Severable
from aios.testing.journal import InlineJournal
from aios.testing.loop import VirtualClock
from aios.testing.script import Script
from aios.testing.store import ScriptedStore
from aios.testing.world import Broken, lived_through

LATER = (Busy, NoSpace, ShuttingDown)


@dataclass(slots=True)
class Fate:
    """What happened in one such world."""

    seed: int
    kills: int = 0
    answered: int = 0
    seconds: float = 0.0


class Undying:
    """One seed's universe. Everything random in it comes from `rng`."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.fate = Fate(seed)
        self._policy = self.rng.choice(sorted(POLICIES))
        self._inner = InlineJournal()
        self._store = ScriptedStore()
        self._journal = Severable(self._inner)
        self._doom = asyncio.Event()  # the kernel of the day dies
        self._kernel: Kernel | None = None
        self._change = asyncio.Event()  # set when a kernel is born or dies
        self._sent: Counter[str] = Counter()  # to the first process, by clients and programs
        self._told: dict[tuple[str, str], tuple[Syscall[Any], Any]] = {}  # by token and key
        self._done_outside: Counter[str] = Counter()  # what tools did, which no crash undoes

    def run(self) -> Fate:
        """Live through it; raises `Broken` or `Deadlock`."""
        self.fate.seconds = lived_through(self._live, self._check)
        return self.fate

    async def _live(self) -> None:
        async with asyncio.TaskGroup() as group:
            people = [group.create_task(self._person(number)) for number in range(4)]
            everybody = asyncio.gather(*people)
            for _ in range(self.rng.randint(1, 8)):
                await self._reign(everybody, is_last=False)
            await self._reign(everybody, is_last=True)

    async def _reign(self, people: "asyncio.Future[Any]", *, is_last: bool) -> None:
        """One kernel from its birth to its violent death; the last one lives to see the end."""
        self._journal = Severable(self._inner, self._full if is_last else self._before)
        self._doom = asyncio.Event()
        doom = asyncio.ensure_future(self._doomed(self.rng.random() * 4))
        reign = asyncio.ensure_future(self._kernel_lives(people if is_last else None))
        if is_last:
            doom.cancel()
            await reign
            return
        await asyncio.wait([reign, doom], return_when=asyncio.FIRST_COMPLETED)
        self._journal.cut()
        reign.cancel()
        await asyncio.wait([reign, doom])
        self.fate.kills += 1

    async def _kernel_lives(self, people: "asyncio.Future[Any] | None") -> None:
        kernel = self._made()
        try:
            async with kernel:
                self._kernel = kernel
                self._turn()
                if people is None:
                    await asyncio.get_running_loop().create_future()
                else:
                    await people
                    await self._judge()
        finally:
            self._kernel = None
            self._turn()

    def _made(self) -> Kernel:
        clock = VirtualClock()
        script = Script(lanes=2, answer_tokens=(5, 80), context_tokens=200)
        core = ScriptedCore(
            script, clock=clock, rng=random.Random(self.rng.random()), store=self._store
        )
        return Kernel(
            [core],
            lambda: make(self._policy),
            programs={"worker": hosted(self._worker)},
            environment=Environment(
                clock=clock,
                random=random.Random(self.rng.random()),
                limits=Limits(drain_s=5.0),
                journal=self._journal,
            ),
        )

    def _before(self, number: int) -> None:
        """Sometimes the disk is full, and sometimes the kernel dies just before a write."""
        self._full(number)
        if self.rng.random() < 0.01:
            self._journal.cut()
            self._doom.set()

    def _full(self, number: int) -> None:
        if self.rng.random() < 0.03:
            self._inner.fail_next(NoSpace("the disk is full"))

    async def _doomed(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._doom.wait()

    # Those who live there.

    async def _person(self, number: int) -> None:
        rng = random.Random(self.rng.random())
        me: process.Spawned = await self._ask(
            "", process.Spawn(name=f"person-{number}"), f"person {number}"
        )
        for step in range(rng.randint(2, 8)):
            await asyncio.sleep(rng.choice((0.0, rng.random() * 2)))
            act: Callable[[str, str, random.Random], Any] = rng.choice(
                (self._sends, self._sends, self._generates, self._employs, self._writes_to_itself)
            )
            await act(me.token, f"{number}.{step}", rng)
            self.fate.answered += 1

    async def _sends(self, token: str, name: str, rng: random.Random) -> None:
        await self._ask(token, process.Send(pid=INIT, body=name), name)
        self._sent[name] += 1

    async def _generates(self, token: str, name: str, rng: random.Random) -> None:
        call = llm.Generate(
            prompt=f"say {name}", decoding=llm.Decoding(max_tokens=rng.randint(1, 80))
        )
        await self._ask(token, call, name)

    async def _employs(self, token: str, name: str, rng: random.Random) -> None:
        call = process.Spawn(name=f"worker {name}", program="worker", argument=name, durable=True)
        worker: process.Spawned = await self._ask(token, call, name)
        ended = await self._ask(token, process.Wait(pid=worker.pid), f"{name} ends")
        if ended.state is not process.ProcessState.EXITED:
            raise Broken(f"worker {name} ended with {ended}")
        for branch in range(2):
            for part in ("begins", "ends"):
                self._sent[f"{name}/{branch} {part}"] += 1

    async def _writes_to_itself(self, token: str, name: str, rng: random.Random) -> None:
        pid = (await self._ask(token, process.Spawn(name="box"), f"{name} box")).pid
        box = self._told[token, f"{name} box"][1].token
        for part in range(3):
            await self._ask(token, process.Send(pid=pid, body=part), f"{name} sends {part}")
        for part in range(3):
            mail: process.Mail = await self._ask(box, process.Receive(), f"{name} receives {part}")
            if mail.body != part:
                raise Broken(f"{name} received {mail.body} instead of {part}")

    async def _worker(self, client: Client, name: Any) -> list[str]:
        """A durable program of two branches, each of which says something and uses a tool."""

        @tool(inline=True)
        async def act(what: str) -> str:
            """Do something in the world."""
            self._done_outside[what] += 1
            await asyncio.sleep(0.05)
            return what

        tools = Toolbox([act])

        async def branch(number: int) -> str:
            what = f"{name}/{number}"
            await client.send(INIT, f"{what} begins")
            said = await client.call(
                llm.Generate(prompt=what, decoding=llm.Decoding(max_tokens=30))
            )
            call = llm.ToolCall(id=what, name="act", arguments=f'{{"what": "{what}"}}')
            await tools.run(call, client)
            await client.send(INIT, f"{what} ends")
            return said.text

        return list(await asyncio.gather(branch(0), branch(1)))

    # How they speak, and what they hold the kernel to.

    async def _ask(self, token: str, call: Syscall[Any], key: str) -> Any:
        """Ask with this key until there is an answer."""
        while True:
            kernel = self._kernel
            if kernel is None:
                await self._change.wait()
                continue
            asked = asyncio.ensure_future(kernel.call(token or kernel.token, call, key=key))
            await self._while_alive(asked)
            if asked.cancelled():
                await asyncio.sleep(0.01)
                continue
            error = asked.exception()
            if error is None:
                self._told[token, key] = (call, asked.result())
                return asked.result()
            if not isinstance(error, LATER):
                raise error
            await asyncio.sleep(0.1)

    async def _while_alive(self, asked: "asyncio.Future[Any]") -> None:
        """Wait for the answer; who asks a dead kernel waits for none."""
        while not asked.done() and self._kernel is not None:
            change = asyncio.ensure_future(self._change.wait())
            await asyncio.wait([asked, change], return_when=asyncio.FIRST_COMPLETED)
            change.cancel()
        if not asked.done():
            asked.cancel()
            await asyncio.wait([asked])

    async def _judge(self) -> None:
        """Everything is still as it was told, and nothing was done twice."""
        for (token, key), (call, told) in list(self._told.items()):
            again = await self._ask(token, call, key)
            if msgspec.to_builtins(again) != msgspec.to_builtins(told):
                raise Broken(f"{key}: told {told}, and now {again}")
        heard: Counter[str] = Counter()
        for _ in range(self._sent.total()):
            heard[
                (await self._ask("", process.Receive(timeout_s=1), f"hear {heard.total()}")).body
            ] += 1
        if heard != self._sent:
            raise Broken(f"sent but not heard once: {(self._sent - heard) + (heard - self._sent)}")
        twice = {what: times for what, times in self._done_outside.items() if times > 1}
        if twice:
            raise Broken(f"done more than once: {twice}")
        assert self._kernel is not None
        if self._kernel.table.find(INIT).mail:
            raise Broken("more was heard than was sent")

    def _turn(self) -> None:
        self._change.set()
        self._change.clear()

    def _check(self) -> None:
        if self._kernel is not None and (broken := violations(self._kernel)):
            raise Broken("; ".join(broken))
