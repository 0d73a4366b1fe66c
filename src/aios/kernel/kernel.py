"""The kernel: wires the rooms and passes every syscall through the gate to its handler.

It computes nothing, never touches a tensor, never forks, and keeps no queue of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from types import MappingProxyType, TracebackType
from typing import Any, Self, TypeVar, cast

from aios.access.grants import Grants
from aios.access.monitor import Monitor
from aios.cores.base import Core
from aios.errors import ShuttingDown
from aios.journal.base import Work
from aios.kernel import process_rows
from aios.kernel.call_book import CallBook
from aios.kernel.cores import Cores
from aios.kernel.dispatch import Dispatch, Handler, Kind, Reading, RoomHandler, Tables
from aios.kernel.durable.programs import Programs
from aios.kernel.durable.run import Own
from aios.kernel.environment import Environment
from aios.kernel.gate import Gate
from aios.kernel.generations import GenerationState, LiveGeneration
from aios.kernel.guard.endings import Endings
from aios.kernel.guard.guard import Guard
from aios.kernel.guard.parts import Fence, Setting, fitted
from aios.kernel.guard.rights import RightsCalls
from aios.kernel.guard.vault import Vault
from aios.kernel.guard.warden import ToolWarden
from aios.kernel.hosting import OUTSIDE, Host, Program
from aios.kernel.kept import KeptGenerations
from aios.kernel.keys import Keys, check_key
from aios.kernel.lives import Lives
from aios.kernel.llm_calls import LlmCalls
from aios.kernel.mail_calls import MailCalls
from aios.kernel.model_calls import Launch, ModelCalls
from aios.kernel.outside import Outside, Place
from aios.kernel.process import FIRST_AGENT, INIT, Process
from aios.kernel.process_calls import ProcessCalls
from aios.kernel.restore import restore
from aios.kernel.resumption import Resumption
from aios.kernel.rooms.memory_calls import READ_ONLY
from aios.kernel.scheduler_calls import SchedulerCalls
from aios.kernel.stats_calls import NO_MEMORY, Memory, StatsCalls
from aios.kernel.table import ProcessTable
from aios.kernel.tools.calls import ToolCalls
from aios.kernel.tools.runner import Runner
from aios.kernel.tools.servers import ToolServers
from aios.kernel.waits import Waits
from aios.scheduler.base import Policy
from aios.syscalls import (
    Completion,
    Delta,
    Spawn,
    Stream,
    Syscall,
    llm,
    model,
    process,
    program,
    scheduling,
    tool,
)
from aios.syscalls.codec import checked
from aios.syscalls.kernel import Stats
from aios.telemetry.bus import Bus

R = TypeVar("R")
QUEUED_WHEN_PAUSED = (llm.Generate, llm.Stream)  # These wait as generations, with their deadline.
STOPPING = ShuttingDown("the kernel is stopping")


class Kernel:
    """Use as `async with`. It is the SDK's in-process transport.

    `token` is the first process's. `policy` makes one scheduling policy per core. Cores are closed
    with the kernel. `left` is told of every agent whose last process has ended, `memory` tells what
    an agent's blocks take; `fence` is what the guard goes by; None: an open policy, nothing else.
    `launch` starts engines for models that are added; None: it can start none. `outside` is where
    programs are started.
    """

    def __init__(  # noqa: PLR0913 - what it is given
        self,
        cores: Sequence[Core],
        policy: Callable[[], Policy],
        *,
        programs: Mapping[str, Program] | None = None,
        rooms: Mapping[Kind, RoomHandler] = MappingProxyType({}),
        left: Callable[[str], None] = lambda agent: None,
        memory: Memory = NO_MEMORY,
        environment: Environment | None = None,
        fence: Fence | None = None,
        tools: ToolServers | None = None,
        launch: Launch | None = None,
        outside: Place | None = None,
    ) -> None:
        assert cores, "a kernel needs a core"
        self.bus = Bus()
        self.environment = environment or Environment()
        self.limits = self.environment.limits
        self.clock = self.environment.clock
        self.table = ProcessTable(self.limits, self.environment.token, left)
        self.gate = Gate(self.table, self.limits)
        self.waits = Waits()
        journal = self.environment.journal
        self._keys = Keys(journal, self.clock, self.waits, self.limits)
        self.host = Host(programs or {})
        self._set_to_work(cores, policy)
        self._lives = Lives(
            table=self.table,
            waits=self.waits,
            host=self.host,
            loops=self.loops,
            bus=self.bus,
            environment=self.environment,
        )
        self._stand_guard(fence or Fence(), tools or ToolServers())
        self._take_in_hand(launch, outside, memory)
        tables = Tables(
            readings=self._table_of_readings(),
            handlers=self._table_of_handlers(),
            looks={kind: rooms[kind] for kind in READ_ONLY & set(rooms)},
            rooms={kind: rooms[kind] for kind in set(rooms) - READ_ONLY},
        )
        self._dispatch = Dispatch(tables, self.guard, journal, self._keys)
        self._group = asyncio.TaskGroup()
        self.token = ""
        self.is_durable = False  # as a transport: only durable programs are told everything again

    def _ended(self, live: LiveGeneration, outcome: str) -> None:
        self._scheduler.ended(live)
        self._book.ended(live, outcome)

    def _set_to_work(self, cores: Sequence[Core], policy: Callable[[], Policy]) -> None:
        """The cores, and what is done with them."""
        self._cores = Cores(policy, self.bus, self.environment, self._ended)
        self.loops = self._cores.loops
        for core in cores:
            self._cores.add(core)
        self._scheduler = SchedulerCalls(self._cores, self.clock, self.bus)
        self._book = CallBook(self.loops, self.table, self.clock)
        self._resumed = Resumption(self.gate, self.clock, self.limits)
        self._llm = LlmCalls(
            self.loops, self.waits, self.environment, self._resumed, self.table.root_of
        )

    def _take_in_hand(self, launch: Launch | None, outside: Place | None, memory: Memory) -> None:
        """Processes, and whatever else is the kernel's own to answer for."""
        marks = self.guard.marks
        self._processes = ProcessCalls(self._lives, self.environment, self._rights, marks)
        self._outside = Outside(outside, self._lives)
        self.host.programs[OUTSIDE] = self._outside
        self._mail = MailCalls(self._lives, self.limits)
        self._model_calls = ModelCalls(launch, self._cores, self._llm, self.waits, self.gate)
        self._stats = StatsCalls(self._lives, self.gate, self.loops, self.limits, memory)
        endings = Endings(self.guard, self._lives, self._perform, self.environment)
        self._programs = Programs(self._lives, self._perform, endings.ended, self.environment)

    def _stand_guard(self, fence: Fence, tools: ToolServers) -> None:
        """The guard with its parts, and the tools that it watches."""
        groups: dict[str, tuple[str, ...]] = {}
        monitor = Monitor(fence.policy, Grants(), groups)
        setting = Setting(
            environment=self.environment,
            table=self.table,
            waits=self.waits,
            bus=self.bus,
            monitor=monitor,
            is_stopping=lambda: self.gate.is_closed,
            terms_of=tools.registry.terms,
        )
        self.guard = Guard(setting, self._lives.until_running)
        self._rights = RightsCalls(monitor, groups, self.guard, self.table, self.environment)
        self._parts = fitted(fence.fittings, setting)
        self.guard.fit(self._parts)
        self._llm.meter = self._parts.meter
        warden = ToolWarden(self.guard, self._parts.vault or Vault(None, {}))
        runner = Runner(self.waits, self.clock, self.bus, self.call, warden.secret)
        self.tools = ToolCalls(tools, self.gate, self.waits, self.environment, runner, warden)
        self.guard.is_again = self.tools.is_again

    @property
    def models(self) -> tuple[str, ...]:
        """The names of the models that are served, the default one first."""
        return self._llm.served

    def answers(self, kind: Kind) -> bool:
        """Whether this kernel has what answers such a call."""
        return self._dispatch.answers(kind)

    async def call(self, token: str, call: Syscall[R], *, key: str = "") -> R:
        """Answer a syscall: exactly one reply or one `AiosError`."""
        caller = self.gate.enter(token)
        try:
            if key != "":
                check_key(key)
            reading = self._dispatch.readings.get(type(call))
            if reading is None or key:
                return cast(R, await self._do(caller, call, key))
            safe = checked(call)
            if caller.state is process.ProcessState.PAUSED:
                await self._lives.until_running(caller)
            entry = self.guard.admit(caller, safe)
            if entry is not None:
                return cast(R, await self._dispatch.read(entry))
            return cast(R, await reading(caller, safe))
        finally:
            self.gate.leave(caller)

    async def call_for(self, agent: str, call: Syscall[R]) -> R:
        """A room's own call, made in the name of an agent that it works for."""
        return await self.call(self.table.token_of(self.table.speaker(agent)), call)

    async def _do(self, caller: Process, call: Syscall[Any], key: str) -> Any:
        """A call that has effects, or a key."""
        self._dispatch.check(call)
        safe = checked(call)
        if caller.state is process.ProcessState.PAUSED and type(call) not in QUEUED_WHEN_PAUSED:
            await self._lives.until_running(caller)
        if key:
            return await self._dispatch.once(caller, safe, key)
        return await self._dispatch.answer(caller, safe, Work(self.environment.journal))

    async def _perform(
        self, token: str, call: Syscall[Any], key: str, work: Work, own: Own | None = None
    ) -> Any:
        """A new call of a durable program; `own` is its own answer to it."""
        caller = self.gate.enter(token)
        try:
            self._dispatch.check(call)
            if caller.state is process.ProcessState.PAUSED and type(call) not in QUEUED_WHEN_PAUSED:
                await self._lives.until_running(caller)
            if key:
                return await self._dispatch.once(caller, call, key, work)
            return await self._dispatch.handle(caller, call, work, own)
        finally:
            self.gate.leave(caller)

    async def stream(
        self, token: str, call: Stream, *, key: str = ""
    ) -> AsyncIterator[Delta | Completion]:
        """Deltas of a generation and, last, its completion."""
        caller = self.gate.enter(token)
        try:
            check_key(key)
            safe = cast(Stream, checked(call))
            deltas = self._dispatch.streamed(caller, safe, key, self._llm.stream)
            async with aclosing(deltas):  # Frees the lane now, not when garbage is collected.
                async for item in deltas:
                    yield item
        finally:
            self.gate.leave(caller)

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self.host.open(self._group, self, self._programs)
        self.token = (await self._first()).token
        await self.tools.open()
        if self.environment.journal is not None:
            await self._go_on(KeptGenerations(self.environment.journal))
            self._programs.start_again()
        self._cores.open(self._group)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await self._shut_down()
        finally:
            await self._end_all()
            # Only a cancellation concerns the group; an error of the body stays as it is.
            if kind is asyncio.CancelledError:
                await self._group.__aexit__(kind, error, trace)
            else:
                await self._group.__aexit__(None, None, None)
            for closed in self._parts.close:
                await closed()

    async def _first(self) -> Process:
        """The first process: the one there was, or a new one."""
        journal = self.environment.journal
        if journal is not None:
            await restore(self._lives, self._mail, self._keys, journal)
        await self._rights.load()
        for opened in self._parts.open:
            await opened()
        if len(self.table):
            return self.table.find(INIT)
        first = self.table.draft(0, Spawn(name=FIRST_AGENT), self.clock.now())
        assert first.pid == INIT
        work = Work(self.environment.journal)
        work.extend([process_rows.born(first, None, self.clock.utc())])
        await work.commit(None)
        self._lives.admit(first)
        return first

    async def _go_on(self, store: KeptGenerations) -> None:
        """Generations of an earlier kernel go on where their process lives and their model is."""
        for kept in await store.load():
            if not self.table.lives(kept.pid) or self._keys.knows(kept.pid, kept.name):
                store.drop(kept.id)
            elif kept.outcome or self._llm.serves(kept.fingerprint):
                process = self.table.find(kept.pid)
                self._resumed.start(process, kept, store, self._group, self._llm.go_on)

    @property
    def is_at_work(self) -> bool:
        """A generation that nobody has paused, or a tool, is under way."""
        lives = (live for loop in self.loops for live in loop.live)
        return (
            any(one.state is not GenerationState.BLOCKED for one in lives) or not self.tools.is_idle
        )

    async def close(self) -> None:
        """Stop from outside an `async with` block, once."""
        await self.__aexit__(None, None, None)

    async def _shut_down(self) -> None:
        """Refuse new calls, suspend what runs, answer what is owed, then close the cores."""
        self.gate.is_closed = True
        self.waits.close(STOPPING)
        drained = (loop.drain(self.limits.drain_s) for loop in self.loops)
        for loop, left in zip(self.loops, await asyncio.gather(*drained), strict=True):
            for live in left:
                loop.abandon(live.job.id, _later(live))
        await self.host.close(self.limits.drain_s)

    async def _end_all(self) -> None:
        """Whatever went wrong before: every call is answered, every program and core ended."""
        for loop in self.loops:
            for live in loop.live:
                loop.abandon(live.job.id, STOPPING)
        self.waits.close(STOPPING)
        self.host.cancel()
        await self.tools.close()
        closed = (loop.core.close() for loop in self.loops)
        await asyncio.gather(*closed, return_exceptions=True)

    def _table_of_readings(self) -> dict[Kind, Reading]:
        """What has no effect that is worth remembering."""
        models, agents = self._llm, self._processes
        return {
            **self.tools.readings(),
            llm.Cancel: models.cancel,
            llm.Tokenize: models.tokenize,
            llm.Models: models.models,
            process.WhoAmI: agents.whoami,
            process.Wait: agents.wait,
            process.List: agents.list,
            process.Inspect: agents.inspect,
            process.Attempt: agents.attempt,
            process.Report: agents.report,
            process.Now: agents.now,
            process.Calls: self._book.calls,
            scheduling.ShowScheduler: self._scheduler.show,
            Stats: self._stats.stats,
            program.FeedProgram: self._outside.feed,
            program.ProgramLog: self._outside.log,
            **self._rights.readings(),
            **self._parts.readings,
        }

    def _table_of_handlers(self) -> dict[Kind, Handler]:
        models, agents = self._llm, self._processes
        return {
            llm.Generate: models.generate,
            llm.Stream: models.generate_streamed,
            process.Spawn: agents.spawn,
            process.Exit: agents.exit,
            process.Kill: agents.kill,
            process.Pause: agents.pause,
            process.Resume: agents.resume,
            scheduling.SetPolicy: self._scheduler.set_policy,
            program.StartProgram: partial(self._outside.start, agents),
            process.Send: self._mail.send,
            process.Receive: self._mail.receive,
            **self._rights.handlers(),
            **self._parts.handlers,
            tool.CallTool: self.tools.call,
            tool.CallTools: self.tools.batch,
            tool.AcceptTool: self.tools.accept,
            tool.AddServer: self.tools.add,
            tool.RemoveServer: self.tools.remove,
            model.AddModel: self._model_calls.add,
            model.RemoveModel: self._model_calls.remove,
        }


def _later(live: LiveGeneration) -> ShuttingDown:
    if live.checkpoint is None:
        return ShuttingDown("the kernel is stopping; only calls with a key or a call_id are kept")
    return ShuttingDown("the kernel is stopping; this call goes on later, in the next one")
