"""The tool family in the kernel: find, check, take a turn, run, cap, commit.

Every call ends in one result or one error. What a model can mend, and what a tool itself failed at,
is a result; an error is what the caller may not do or the kernel cannot.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec

from aios.errors import (
    AiosError,
    Busy,
    Cancelled,
    Damaged,
    InvalidArgument,
    NoSpace,
    OutcomeUnknown,
    ShuttingDown,
)
from aios.journal.base import Work
from aios.kernel.dispatch import Kind, Reading
from aios.kernel.environment import Environment
from aios.kernel.gate import Gate
from aios.kernel.keys import digest_of
from aios.kernel.outcome import PASSING
from aios.kernel.process import Process
from aios.kernel.tools.runner import Order, Runner
from aios.kernel.tools.runs import RunName, Runs
from aios.kernel.tools.servers import ToolServers
from aios.kernel.tools.turns import Turns
from aios.kernel.tools.wholes import Guarded, Wholes
from aios.kernel.waits import Waits
from aios.syscalls.base import Ok
from aios.syscalls.tool import (
    AcceptTool,
    AddServer,
    CallTool,
    CallTools,
    FileRef,
    ListTools,
    RemoveServer,
    ShowTool,
    Text,
    ToolInfo,
    ToolList,
    ToolResult,
    ToolResults,
    ToolShown,
)
from aios.tools.base import Tool
from aios.tools.registry import Sees
from aios.tools.results import UNTELLABLE, capped
from aios.tools.touches import needs_of

RUNS_MAX = 100_000  # calls whose outcome nobody has that are remembered
FAILED_BEFORE_IT_COUNTED = (Busy, NoSpace, Damaged)


class Warden(Guarded, Protocol):
    """What the guard says of tools beyond the syscall, which has passed the gate."""

    def sees(self, process: Process, name: str) -> bool:
        """Whether the tool is there for this process."""
        ...

    def secret(self, agent: str, name: str) -> str:
        """A secret for a tool that declares it. Raises `NotFound`."""
        ...

    def told(self, error: AiosError) -> AiosError:
        """The error without the secrets that are in it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One call on its way: alone, or with its place in a batch."""

    process: Process
    call: CallTool
    run: RunName
    digest: bytes
    work: Work
    place: int = 0
    is_part: bool = False

    @property
    def key(self) -> str:
        return f"{self.run.pid} {self.run.name} {self.place}" if self.run.name else ""


class ToolCalls:
    """The handlers. `open` before the first call, `close` after the last."""

    def __init__(
        self,
        servers: ToolServers,
        gate: Gate,
        waits: Waits,
        environment: Environment,
        runner: Runner,
        warden: Warden,
    ) -> None:
        self._warden = warden
        self._wholes = Wholes(runner.speak, gate.first, waits, warden)
        self._servers = servers
        self._gate = gate
        self._environment = environment
        self._clock = environment.clock
        self._turns = Turns(waits, environment.clock)
        self._runs = Runs(environment.journal, environment.clock, RUNS_MAX)
        self._runner = runner

    async def open(self) -> None:
        await self._runs.load()
        try:
            await self._servers.open(self._environment.journal, self._clock)
        except BaseException:
            await self._servers.close()
            raise

    async def close(self) -> None:
        await self._runner.close()
        await self._servers.close()

    async def list(self, process: Process, call: ListTools) -> ToolList:
        wanted = frozenset(call.names)
        listed = await self._servers.list(call.prefix, self._sees(process))
        tools = tuple(one for one in listed if not wanted or one.name in wanted)
        return ToolList(tools, self._servers.sandbox)

    def readings(self) -> Mapping[Kind, Reading]:
        """What has no effect that is worth remembering."""
        return {ListTools: self.list, ShowTool: self.show}

    async def show(self, process: Process, call: ShowTool) -> ToolShown:
        return await self._servers.show(call.name)

    async def call(self, process: Process, call: CallTool, work: Work) -> ToolResult:
        part = _Part(
            process=process,
            call=call,
            run=RunName(process.pid, work.name),
            digest=_digest(call, work),
            work=work,
        )
        try:
            result = await self._once(part, self._runs.known(part.run, part.digest))
        except FAILED_BEFORE_IT_COUNTED:
            self._runs.failed(part.run)
            raise
        except PASSING:
            raise
        except AiosError as problem:
            error = self._warden.told(problem)
            await self._runs.commit(part.run, work, error)
            raise error from None
        await self._runs.commit(part.run, work, result)
        return result

    async def batch(self, process: Process, call: CallTools, work: Work) -> ToolResults:
        run, digest = RunName(process.pid, work.name), _digest(call, work)
        known = self._runs.known(run, digest)
        parts = [
            _Part(
                process=process,
                call=one,
                run=run,
                digest=digest,
                work=work,
                place=place,
                is_part=True,
            )
            for place, one in enumerate(call.calls)
        ]
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(self._among(part, known)) for part in parts]
        try:
            results = ToolResults(tuple(await asyncio.gather(*tasks)))
        finally:
            for task in tasks:
                task.cancel()
        await self._runs.commit(run, work, results)
        return results

    async def accept(self, process: Process, call: AcceptTool, work: Work) -> ToolInfo:
        return await self._servers.accept(call, work)

    async def add(self, process: Process, call: AddServer, work: Work) -> ToolList:
        return await self._servers.add(call, work)

    async def remove(self, process: Process, call: RemoveServer, work: Work) -> Ok:
        await self._servers.remove(call.name, work, Ok())
        return Ok()

    def is_again(self, process: Process, call: object, work: Work) -> bool:
        """Whether all of a call had begun before, so that it will only be told of.

        Raises `InvalidArgument` where its name is another call's.
        """
        if not work.name or not isinstance(call, CallTool | CallTools):
            return False
        known = self._runs.known(RunName(process.pid, work.name), digest_of(call))
        return len(known) == (len(call.calls) if isinstance(call, CallTools) else 1)

    @property
    def unsettled(self) -> int:
        """Calls that have begun and whose reply nobody has."""
        return len(self._runs)

    @property
    def is_idle(self) -> bool:
        """No tool runs."""
        return self._runner.is_idle

    async def _among(self, part: _Part, known: dict[int, ToolResult | None]) -> ToolResult:
        """One of a batch: an error of its own is its own result."""
        self._gate.reenter(part.process)
        try:
            return await self._once(part, known)
        except (Cancelled, ShuttingDown):
            raise
        except AiosError as error:
            return _told(f"{error.code}: {self._warden.told(error)}")
        finally:
            self._gate.leave(part.process)

    async def _once(self, part: _Part, known: dict[int, ToolResult | None]) -> ToolResult:
        """Make the call, unless it has begun before."""
        if part.place in known or part.work.is_again:
            result = known.get(part.place)
            if result is None:
                raise OutcomeUnknown(
                    f"{part.call.name} had begun when its kernel stopped or its caller went away; "
                    "whether it did its work nobody knows, and it is not run again by itself"
                )
            return result
        tool = await self._servers.find(part.call.name, self._sees(part.process))
        checker = self._servers.registry.checker(tool)
        try:
            read = checker.check(part.call.arguments)
            about = checker.filling(read.values, part.process.agent)
            needs = needs_of(tool.terms.touches, about)
        except InvalidArgument as problem:
            return _told(f"bad arguments for {part.call.name}: {problem}")
        began = self._clock.now()
        patience_s = part.call.timeout_s or tool.terms.timeout_s
        ticket = await self._turns.take(part.process.pid, tool, needs, patience_s)
        try:
            await part.work.begin()
            if not tool.terms.repeatable:
                await self._runs.begin(part.run, part.place, part.digest)
            order = Order(
                process=part.process,
                tool=tool,
                arguments=read.values,
                key=part.key,
                limit_s=self._limit_s(part.call, tool, began),
                ticket=ticket,
            )
            ran = self._runner.run(order, self._turns.leave)
        except BaseException:
            self._turns.leave(ticket)
            raise
        told = await ran
        result = ToolResult(
            contents=told.contents,
            is_error=told.is_error,
            remarks=(*read.remarks, *told.remarks),
            sandbox=told.sandbox,
            source=tool.terms.source,
            seconds=self._clock.now() - began,
        )
        result = self._warden.hidden(await self._fit(part, result, tool.terms.result_bytes))
        self._runs.done(part.run, part.place, result, is_part=part.is_part)
        return result

    def _limit_s(self, call: CallTool, tool: Tool, began: float) -> float:
        """The tool's own limit; the caller's counts from when it called."""
        if call.timeout_s is None:
            return tool.terms.timeout_s
        return min(tool.terms.timeout_s, max(0.0, began + call.timeout_s - self._clock.now()))

    async def _fit(self, part: _Part, result: ToolResult, bytes_max: int) -> ToolResult:
        """As much of it as there is room for, and where the whole is."""
        try:
            contents, cut = capped(result.contents, bytes_max)
        except UNTELLABLE as problem:
            contents, cut = (Text(f"its result is no data: {problem}"),), ()
            result = msgspec.structs.replace(result, is_error=True)
        refs: tuple[FileRef, ...] = ()
        if cut:
            refs = await self._wholes.keep(part.process, part.call, result, bytes_max)
        remarks = (*result.remarks, *cut, *(f"kept whole: {one.path}" for one in refs))
        return msgspec.structs.replace(result, contents=(*contents, *refs), remarks=remarks)

    def _sees(self, process: Process) -> Sees:
        return lambda name: self._warden.sees(process, name)


def _digest(call: CallTool | CallTools, work: Work) -> bytes:
    return digest_of(call) if work.name else b""


def _told(problem: str) -> ToolResult:
    return ToolResult(contents=(Text(problem),), is_error=True)
