"""A whole kernel in virtual time under a seed: random agents, a flaky core, cancels, kills, pauses.

After every step of the event loop the kernel's invariants are checked; at the end every call must
have had exactly one answer, and every completion must equal what an undisturbed core would say.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from aios.config import Limits
from aios.errors import AiosError
from aios.kernel.environment import Environment
from aios.kernel.invariants import violations
from aios.kernel.kernel import Kernel
from aios.scheduler import POLICIES, make
from aios.scheduler.base import Policy
from aios.syscalls import llm, process
from aios.telemetry.events import Event
from aios.testing.answers import invented, tokens_of
from aios.testing.cores import ScriptedCore
from aios.testing.loop import VirtualClock, run
from aios.testing.script import Faults, Script
from aios.testing.store import ScriptedStore

NAMES = tuple(sorted(POLICIES))
PATIENCE_S = 5_000.0  # virtual seconds that a world may take; past it something hangs


class Broken(AssertionError):
    """An invariant does not hold, or an answer is missing, doubled or wrong."""


@dataclass(slots=True)
class Report:
    """What happened in one world."""

    seed: int
    policy: str
    steps: int = 0
    seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    trace: list[Event] = field(default_factory=list)


def lived_through(live: Callable[[], Awaitable[None]], check: Callable[[], None]) -> float:
    """The virtual seconds that a life took; `check` is called after every step of the loop."""

    async def patiently(_: random.Random) -> float:
        try:
            async with asyncio.timeout(PATIENCE_S):
                await live()
        except TimeoutError:
            raise Broken(f"not at an end after {PATIENCE_S} virtual seconds") from None
        return asyncio.get_running_loop().time()

    return run(patiently, after_step=check)


class World:
    """One seed's universe. Everything random in it comes from `rng`."""

    def __init__(self, seed: int, make_policy: Callable[[], Policy] | None = None) -> None:
        self.rng = random.Random(seed)
        name = self.rng.choice(NAMES)
        self.report = Report(seed=seed, policy=name)
        self.script = _script(self.rng)
        self._make_policy = make_policy or (lambda: make(name))
        self._kernel: Kernel | None = None

    def run(self) -> Report:
        """Live through it; raises `Broken` or `Deadlock`."""
        self.report.seconds = lived_through(self._live, self._check)
        return self.report

    async def _live(self) -> None:
        core = ScriptedCore(
            self.script,
            clock=VirtualClock(),
            rng=random.Random(self.rng.random()),
            store=ScriptedStore(),
            faults=_faults(self.rng),
        )
        environment = Environment(
            clock=VirtualClock(),
            random=random.Random(self.rng.random()),
            limits=Limits(calls_per_process_max=4, mail_max=3, ended_kept=8, drain_s=100.0),
        )
        kernel = Kernel([core], self._make_policy, environment=environment)
        kernel.bus.listen(self.report.trace.append)
        async with asyncio.TaskGroup() as group, kernel:
            self._kernel = kernel
            work = await self._people(kernel, core, group)
            stops_early = self.rng.random() < 0.2
            limit_s = self.rng.random() * 10 if stops_early else None
            await asyncio.wait(work, timeout=limit_s)
        self._check()
        if kernel.gate.live or any(loop.live for loop in kernel.loops):
            raise Broken(f"{kernel.gate.live} calls were never answered")

    async def _people(
        self, kernel: Kernel, core: ScriptedCore, group: asyncio.TaskGroup
    ) -> list[asyncio.Task[None]]:
        """Agents, and somebody who interferes with them."""
        agents = [
            await kernel.call(kernel.token, process.Spawn(name=f"agent-{number}"))
            for number in range(self.rng.randint(2, 8))
        ]
        pids = [agent.pid for agent in agents]
        work = [self._agent(kernel, agent.token, pids) for agent in agents]
        return [group.create_task(one) for one in (*work, self._meddler(kernel, core, pids))]

    async def _agent(self, kernel: Kernel, token: str, pids: list[int]) -> None:
        rng = random.Random(self.rng.random())
        for number in range(rng.randint(1, 6)):
            await asyncio.sleep(rng.choice((0.0, 0.0, rng.random() * 3)))
            act = rng.choice(
                (self._generate, self._generate, self._generate, self._chat, self._mail)
            )
            await self._answered(act(kernel, token, rng, number, pids))

    async def _generate(
        self, kernel: Kernel, token: str, rng: random.Random, number: int, pids: list[int]
    ) -> str:
        call = _call(rng, self.script, number)
        if rng.random() < 0.3:
            completion = await self._streamed(kernel, token, call)
        elif rng.random() < 0.2:
            return await self._abandoned(kernel, token, call, rng)
        else:
            completion = await kernel.call(token, call)
        self._judge(call, completion)
        return "done"

    async def _streamed(self, kernel: Kernel, token: str, call: llm.Generate) -> llm.Completion:
        heard: Counter[int] = Counter()
        async for item in kernel.stream(token, llm.Stream(generate=call)):
            if isinstance(item, llm.Completion):
                for choice in item.choices:
                    if heard[choice.index] != len(choice.token_ids):
                        raise Broken(f"streamed {heard}, completed {item.choices}")
                return item
            heard[item.index] += len(item.token_ids)
        raise Broken("a stream ended without a completion")

    async def _abandoned(
        self, kernel: Kernel, token: str, call: llm.Generate, rng: random.Random
    ) -> str:
        task = asyncio.ensure_future(kernel.call(token, call))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.wait([task], timeout=rng.random() * 2)
        if rng.random() < 0.5 and call.call_id:
            await self._answered(_done(kernel.call(token, llm.Cancel(call_id=call.call_id))))
        else:
            task.cancel()
        await asyncio.wait([task])
        if task.cancelled():
            return "abandoned"
        error = task.exception()
        if error is None:
            self._judge(call, task.result())
            return "done"
        raise error

    async def _chat(
        self, kernel: Kernel, token: str, rng: random.Random, number: int, pids: list[int]
    ) -> str:
        await kernel.call(token, process.WhoAmI())
        await kernel.call(token, process.List(ended=rng.random() < 0.5))
        return "looked"

    async def _mail(
        self, kernel: Kernel, token: str, rng: random.Random, number: int, pids: list[int]
    ) -> str:
        if rng.random() < 0.6:
            await kernel.call(token, process.Send(pid=rng.choice(pids), body={"n": number}))
            return "sent"
        await kernel.call(token, process.Receive(timeout_s=rng.random() * 5))
        return "received"

    async def _meddler(self, kernel: Kernel, core: ScriptedCore, pids: list[int]) -> None:
        """Pauses, resumes, kills; and crashes the engine. All that is paused is resumed at last."""
        rng = random.Random(self.rng.random())
        for _ in range(rng.randint(0, 10)):
            await asyncio.sleep(rng.random() * 3)
            act = rng.choice(
                (process.Pause, process.Pause, process.Resume, process.Resume, process.Kill, None)
            )
            if act is None:
                core.crash()
            elif act is not process.Kill or rng.random() < 0.3:
                await self._answered(_done(kernel.call(kernel.token, act(pid=rng.choice(pids)))))
        for pid in pids:
            await self._answered(_done(kernel.call(kernel.token, process.Resume(pid=pid))))

    async def _answered(self, work: Coroutine[Any, Any, str]) -> None:
        """Exactly one answer: a result, or an `AiosError`; anything else ends the world."""
        try:
            self.report.outcomes[await work] += 1
        except AiosError as error:
            self.report.outcomes[error.code] += 1

    def _judge(self, call: llm.Generate, completion: llm.Completion) -> None:
        """The completion must be what an undisturbed core says."""
        expected = invented(
            tokens_of(call),
            call.decoding,
            self.script.answer_tokens,
            call.decoding.max_tokens or 0,
        )
        got = [choice.token_ids for choice in completion.choices]
        if got != [spoken.token_ids for spoken in expected]:
            raise Broken(f"{completion.call_id}: expected {expected}, got {completion.choices}")

    def _check(self) -> None:
        self.report.steps += 1
        if self._kernel is not None and (broken := violations(self._kernel)):
            raise Broken("; ".join(broken))


async def _done(work: Awaitable[object]) -> str:
    await work
    return "done"


def _call(rng: random.Random, script: Script, number: int) -> llm.Generate:
    words = " ".join(rng.choice(("plan", "book", "fly", "pay")) for _ in range(rng.randint(1, 30)))
    return llm.Generate(
        prompt=words,
        call_id=rng.choice(("", f"call-{number}")),
        priority=rng.randint(-2, 2),
        deadline_s=rng.choice((None, None, None, rng.random() * 20 + 0.01)),
        decoding=llm.Decoding(
            max_tokens=rng.randint(1, 40), seed=rng.getrandbits(30), n=rng.choice((1, 1, 1, 2))
        ),
    )


def _script(rng: random.Random) -> Script:
    """A machine that is tight in lanes, in KV, or in both."""
    return Script(
        lanes=rng.choice((2, 4, 8)),
        kv_tokens=rng.choice((192, 256, 512, 2_048)),
        context_tokens=100,
        block_tokens=16,
        step_s=rng.choice((0.01, 0.05)),
        prefill_chunk=rng.choice((16, 64)),
        answer_tokens=(1, 60),
    )


def _faults(rng: random.Random) -> Faults:
    """Half of the worlds are healthy; the others have several diseases at once."""
    if rng.random() < 0.5:
        return Faults()
    return Faults(
        refuse=rng.choice((0.0, 0.05)),
        fail=rng.choice((0.0, 0.01)),
        suspend=rng.choice((0.0, 0.05)),
        damage=rng.choice((0.0, 0.3)),
        slow=rng.choice((0.0, 0.05)),
        hang=rng.choice((0.0, 0.005)),
        hang_s=20.0,
        crash=rng.choice((0.0, 0.005)),
    )
