"""Programs of the operator's own as processes of the kernel: started, paused, ended, their logs.

To the host such a program is one that it runs: this is its code, which has the real one started,
waits for its end, and takes it along where it is ended itself.
"""

import asyncio
import shlex
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from aios.errors import DeadlineExceeded, WrongState
from aios.journal.base import Work
from aios.kernel.hosting import OUTSIDE, Failed
from aios.kernel.lives import Lives
from aios.kernel.process import Process
from aios.kernel.process_calls import ProcessCalls
from aios.programs import log
from aios.programs.stage import Order, Running, Stage
from aios.syscalls.process import Exited, Pid, ProcessState, Spawn, Spawned
from aios.syscalls.program import Fed, FeedProgram, LogChunk, LogPart, ProgramLog, StartProgram
from aios.telemetry.events import Event, StateChanged

LOGS_MAX = 500  # programs whose logs are kept
STREAMS: Mapping[int, Any] = {log.STDOUT: "stdout", log.STDERR: "stderr"}
NO_PROGRAM = "process {pid} is no program that the kernel started; only these have a log and input"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where programs are started; `url` is where they find the kernel, empty where it is not."""

    stage: Stage
    logs: Path
    url: str = ""


class Outside:
    """What the host runs by the name `OUTSIDE`."""

    definition = "a program outside of the kernel"

    def __init__(self, place: Place | None, lives: Lives) -> None:
        self._place = place
        self._lives = lives
        self._running: dict[Pid, Running] = {}  # until both program and process have ended
        lives.bus.listen(self._heard)

    async def __call__(self, transport: Any, token: str, argument: Any) -> int:
        """Run it to its end; its status. Raises `Failed` for another than 0."""
        process = self._lives.table.by_token(token)
        order = msgspec.convert(argument, StartProgram)
        place = self._here()
        await asyncio.to_thread(_make_room, place.logs, frozenset(self._running))
        process.remark = f"runs {shlex.join(order.argv)}"[:200]
        lies = place.logs / str(process.pid)
        running = place.stage.start(
            Order(
                argv=order.argv,
                folder=order.folder,
                environment={**order.environment, **_speech(place.url, token, process.pid)},
                log=lies,
                # Whoever fed it in an earlier kernel is gone.
                takes_input=order.takes_input and not lies.exists(),
            )
        )
        self._running[process.pid] = running
        if process.state is ProcessState.PAUSED:
            running.pause()
        self._lives.waits.wake(("start of", process.pid))
        try:
            code = await running.ended()
        except asyncio.CancelledError:
            running.kill()
            await running.ended()
            raise
        finally:
            if process.has_ended:
                self._running.pop(process.pid, None)  # Both may have ended at once.
        await self._end_below(process)
        if code:
            raise Failed(_why(code), code)
        return code

    async def start(
        self, calls: ProcessCalls, process: Process, call: StartProgram, work: Work
    ) -> Spawned:
        self._here()
        spawn = Spawn(
            name=call.name,
            program=OUTSIDE,
            argument=msgspec.to_builtins(call),
            priority=call.priority,
            durable=call.durable,
        )
        return await calls.begin(process, spawn, work)

    async def feed(self, process: Process, call: FeedProgram) -> Fed:
        target = self._find(call.pid)
        waits = self._lives.waits
        if target.pid not in self._running and not target.has_ended:
            await waits.wait(("start of", target.pid), process.pid, None)
        running = self._running.get(target.pid)
        if running is None:
            return Fed(is_open=False)
        fed = running.feed(call.data, is_last=call.is_last)
        key = ("input of", target.pid)
        return Fed(is_open=await waits.while_waiting(fed, key, process.pid, None))

    async def log(self, process: Process, call: ProgramLog) -> LogPart:
        target = self._find(call.pid)
        folder = self._here().logs / str(target.pid)
        start = call.start
        if call.tail is not None:
            start = await asyncio.to_thread(log.last_lines, folder, call.tail)
        part = await self._read(target, folder, start, call.bytes_max)
        if part.chunks or part.is_over or not call.wait_s:
            return part
        with suppress(DeadlineExceeded):
            await self._wait(process, target, part.end, call.wait_s)
        return await self._read(target, folder, part.end, call.bytes_max)

    async def _read(self, target: Process, folder: Path, start: int, bytes_max: int) -> LogPart:
        was_over = self._is_over(target)
        part = await asyncio.to_thread(log.read, folder, start, bytes_max)
        chunks = tuple(LogChunk(STREAMS[one.stream], one.data) for one in part.chunks)
        return LogPart(part.start, part.end, chunks, is_over=was_over and not chunks)

    async def _wait(self, process: Process, target: Process, end: int, limit_s: float) -> None:
        """Until the program has written more, or something else has become of it."""
        waits = self._lives.waits
        running = self._running.get(target.pid)
        if self._is_over(target):  # Since it was looked at.
            return
        if running is None:
            await waits.wait(("start of", target.pid), process.pid, limit_s)
        elif running.is_over:
            await waits.wait(("end of", target.pid), process.pid, limit_s)
        else:
            key = ("output of", target.pid)
            await waits.while_waiting(running.grown(end), key, process.pid, limit_s)

    def _is_over(self, target: Process) -> bool:
        running = self._running.get(target.pid)
        return target.has_ended and (running is None or running.is_over)

    def _heard(self, event: Event) -> None:
        """A paused process's program stands still; one that has ended is forgotten."""
        if not isinstance(event, StateChanged):
            return
        running = self._running.get(event.pid)
        if running is None:
            self._lives.waits.wake(("start of", event.pid))  # Whoever waits for that looks again.
        elif event.state == ProcessState.PAUSED:
            running.pause()
        elif event.state == ProcessState.RUNNING:
            running.resume()
        elif running.is_over:
            del self._running[event.pid]

    async def _end_below(self, process: Process) -> None:
        """Agents that it opened spoke from its processes, of which none is left."""
        for one in reversed(list(self._lives.table.tree(process))[1:]):
            killed = Exited(pid=one.pid, state=ProcessState.KILLED, error="killed")
            await self._lives.end(one, killed)

    def _find(self, pid: Pid) -> Process:
        target = self._lives.table.find(pid)
        if target.program != OUTSIDE:
            raise WrongState(NO_PROGRAM.format(pid=pid))
        return target

    def _here(self) -> Place:
        if self._place is None:
            raise WrongState("expected a kernel that starts programs; `aios serve` is one")
        return self._place


def _speech(url: str, token: str, pid: Pid) -> dict[str, str]:
    """What points a program at the kernel, whichever protocol it speaks."""
    own = {"AIOS_TOKEN": token, "AIOS_PID": str(pid)}
    if not url:
        return own
    return own | {
        "AIOS_URL": url,
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_API_BASE": f"{url}/v1",
        "OPENAI_API_KEY": token,
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": token,
        "ANTHROPIC_AUTH_TOKEN": token,
    }


def _why(code: int) -> str:
    return f"the program ended by signal {code - 128}" if code > 128 else f"exit status {code}"


def _make_room(logs: Path, running: frozenset[Pid]) -> None:
    """Remove the oldest logs where there are too many; never one that is written."""
    logs.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept = sorted((one for one in logs.iterdir() if one.name.isdigit()), key=_pid_of)
    for old in kept[:-LOGS_MAX]:
        if _pid_of(old) not in running:
            shutil.rmtree(old, ignore_errors=True)


def _pid_of(folder: Path) -> Pid:
    return int(folder.name)
