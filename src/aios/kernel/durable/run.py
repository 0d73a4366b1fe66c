"""One run of a durable program: the transport by which it speaks, which remembers every answer.

What the program was told before a crash it is told again (`replay` says when); what is new is done
by the kernel, and told once it is durable, in the order in which it became so. Knows no syscall but
the two that bracket a tool's run, which are its own.
"""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextvars import ContextVar
from typing import Any, TypeVar, cast

from aios.clock import Clock
from aios.errors import AiosError, Busy, Cancelled, Diverged, NoSpace, ShuttingDown
from aios.journal.base import Change, Journal, Work
from aios.kernel.durable import program_rows
from aios.kernel.durable.replay import Recorded, Replay
from aios.kernel.durable.turns import Turns
from aios.kernel.keys import check_key
from aios.kernel.outcome import opened, sealed
from aios.kernel.process import Process
from aios.kernel.process_rows import hash_of
from aios.syscalls.base import Ok, Syscall
from aios.syscalls.codec import checked
from aios.syscalls.llm import Completion, Delta, Stream
from aios.syscalls.process import Attempt, Attempted, Report

R = TypeVar("R")
Own = Callable[..., Awaitable[Any]]
"""Answers a call in its handler's place, once the guard has let it through."""
Perform = Callable[[str, Syscall[Any], str, Work, Own | None], Awaitable[Any]]
RETRY_S = 1.0  # between two tries to write where the disk is full


class DurableRun:
    """A `Transport`. What the program cancels it is not told; what is durable it is always told.

    `perform` does a call as the kernel does any; `failed` is told once that the program diverged.
    """

    is_durable = True

    def __init__(
        self,
        process: Process,
        recorded: Sequence[Recorded],
        perform: Perform,
        failed: Callable[[Process, Diverged], None],
        journal: Journal,
        clock: Clock,
    ) -> None:
        self._process = process
        self._replay = Replay(recorded)
        self._perform = perform
        self._failed = failed
        self._journal = journal
        self._clock = clock
        self._told: dict[int, asyncio.Future[None]] = {}  # recorded calls that wait to be told
        self._turns = Turns(self._replay.places)
        self._seen = 0
        self._doing: dict[int, tuple[asyncio.Task[Recorded], _Recorder]] = {}  # calls under way
        self._unwritten: dict[int, Recorded] = {}  # made or given up; the journal knows it not yet
        self._is_closed = False
        self._diverged: Diverged | None = None
        # The attempt whose tool speaks in a task and in those it starts; and what it is within.
        self._within: ContextVar[int | None] = ContextVar("within", default=None)
        self._outside: dict[int, int | None] = {}

    async def call(self, token: str, call: Syscall[R], *, key: str = "") -> R:
        """As the kernel's; the same again after a crash."""
        check_key(key)
        kind = program_rows.kind_of(call)
        safe = checked(call)
        if isinstance(safe, Report):
            self._within.set(self._outside.pop(safe.attempt, None))
        known = self._issue(token, kind, safe, key)
        if isinstance(safe, Attempt):  # From here on it is the tool that speaks, in this task.
            self._outside[known.number] = self._within.get()
        reply = await self._reply(known, token, safe, key)
        if isinstance(safe, Attempt):
            self._within.set(known.number)
        return cast(R, reply)

    async def _reply(self, known: Recorded, token: str, call: Syscall[Any], key: str) -> Any:
        if known.is_abandoned:
            await self._forever()
        if known.outcome is not None:
            await self._until(self._told[known.number])
            del self._told[known.number]
            self._saw(known)
            return _again(call, known)
        done = await self._live(known, token, call, key)
        self._saw(done)
        assert done.outcome is not None
        return opened(type(call), done.outcome)

    async def stream(
        self, token: str, call: Stream, *, key: str = ""
    ) -> AsyncIterator[Delta | Completion]:
        """Only the completion: deltas are no answers, and would not come again."""
        yield await self.call(token, call, key=key)

    async def close(self) -> None:
        """Nothing is held."""

    def stop(self) -> None:
        """The program's task is about to be cancelled, and nothing of that is the program's."""
        self._is_closed = True
        for task, recorder in self._doing.values():
            if recorder.may_stop:
                task.cancel()

    def has_ended(self) -> bool:
        """The program has returned: whether it has done all that it once did. If not, it failed."""
        try:
            self._replay.end()
        except Diverged as problem:
            self._diverge(problem)
            return False
        return self._diverged is None

    # Issuing a call.

    def _issue(self, token: str, kind: str, call: Syscall[Any], key: str) -> Recorded:
        if self._diverged is not None:
            raise self._diverged
        if self._is_closed:
            raise Cancelled(f"process {self._process.pid} has ended")
        speaker = b"" if token == self._process.token else hash_of(token)
        digest = program_rows.digest(call, key, speaker)
        try:
            number = self._replay.issue(kind, digest)
        except Diverged as problem:
            self._diverge(problem)
            raise
        known = self._replay.recorded(number)
        if known is None:
            within = self._within.get()
            known = Recorded(
                number=number, kind=kind, digest=digest, seen=self._seen, within=within
            )
            self._unwritten[number] = known
        if known.outcome is not None:
            self._told[number] = asyncio.get_running_loop().create_future()
        self._tell()
        return known

    def _diverge(self, problem: Diverged) -> None:
        self._diverged = problem
        self._failed(self._process, problem)

    # Answering it.

    def _tell(self) -> None:
        """Give every answer whose turn it is."""
        for one in self._replay.due():
            self._told[one.number].set_result(None)
        if self._replay.is_over:
            self._turns.tell()

    def _saw(self, told: Recorded) -> None:
        assert told.place is not None
        self._seen = max(self._seen, told.place + 1)

    async def _live(self, known: Recorded, token: str, call: Syscall[Any], key: str) -> Recorded:
        """Do it; the call with its outcome, once it is its turn to be told."""
        recorder = _Recorder(self, known)
        task = asyncio.ensure_future(self._done(recorder, token, call, key))
        self._doing[known.number] = (task, recorder)
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError:
                if recorder.may_stop:
                    task.cancel()
        del self._doing[known.number]
        if task.cancelled():
            self._abandon(known)
            raise asyncio.CancelledError
        done = task.result()
        turn = self._turns.ready(done)
        self._tell()
        await self._until(turn)
        return done

    async def _done(
        self, recorder: "_Recorder", token: str, call: Syscall[Any], key: str
    ) -> Recorded:
        """Do the call until what it came to is durable; without room on the disk, wait for room."""
        known = recorder.known
        while True:
            name = f"call {known.number} of program {self._process.pid}"
            recorder.work = work = Work(self._journal, recorder, name=name)
            try:
                await self._act(known, token, call, key, work)
            except ShuttingDown:
                if self._is_closed:
                    raise asyncio.CancelledError from None
                recorder.is_frozen = True
                await self._forever()  # It is done again when the program is run again.
            except AiosError as error:
                await _fail(work, error)
            if work.is_durable:
                return recorder.settled()
            recorder.discard()
            await self._clock.sleep(RETRY_S)

    async def _act(
        self, known: Recorded, token: str, call: Syscall[Any], key: str, work: Work
    ) -> None:
        if isinstance(call, Report):  # Of what has happened, to nobody else: nothing to judge.
            work.extend([program_rows.reported(self._process.pid, call)])
            await work.commit(Ok())
            return
        own: Own | None = None
        if isinstance(call, Attempt):
            key, own = "", _answering(Attempted(known.number, "new"))
        reply = await self._perform(token, call, key, work, own)
        if not work.is_committed:
            await work.commit(reply)

    def _abandon(self, known: Recorded) -> None:
        """The program gave a call up: when it is run again, it will give it up again."""
        if self._is_closed or self._process.has_ended:
            return
        self._unwritten[known.number] = dataclasses.replace(known, is_abandoned=True)

    async def _until(self, told: asyncio.Future[None]) -> None:
        """Wait, and let nothing but the end of the program come between.

        Also where nothing is to be waited for: whose turn came before wakes up before.
        """
        is_told = False
        while not is_told:
            try:
                await asyncio.wait([told])
                is_told = True
            except asyncio.CancelledError:
                if self._is_closed or self._process.has_ended:
                    raise

    async def _forever(self) -> None:
        await asyncio.get_running_loop().create_future()

    def recorded(self, known: Recorded, outcome: object) -> tuple[Recorded, list[Recorded]]:
        """A call that is being committed gets its place among the answers.

        With it go the calls that were made before it is told, and wait: an answer without them
        would be told too early. Calls that come later need not be known before there is more.
        """
        place = self._turns.place()
        done = dataclasses.replace(known, place=place, outcome=sealed(outcome))
        waiting = [one for one in self._unwritten.values() if one.number != known.number]
        return done, [*waiting, done]

    def written(self, calls: Sequence[Recorded]) -> None:
        """The journal knows these now."""
        for one in calls:
            known = self._unwritten.get(one.number)
            if known is one or one.outcome is not None:
                self._unwritten.pop(one.number, None)

    def discard(self, done: Recorded) -> None:
        """It could not be committed; its place stays empty."""
        self._turns.skip(done)
        self._tell()

    def rows(self, calls: Sequence[Recorded]) -> list[Change]:
        return [program_rows.told(self._process.pid, one) for one in calls]


class _Recorder:
    """Remembers one call's outcome in the commit of its effects."""

    def __init__(self, run: DurableRun, known: Recorded) -> None:
        self._run = run
        self.known = known
        self.work: Work | None = None
        self.is_frozen = False  # the kernel stops
        self._done: Recorded | None = None
        self._carried: list[Recorded] = []

    @property
    def may_stop(self) -> bool:
        """Whether the call has done nothing, and will not."""
        return self.is_frozen or self.work is None or not self.work.is_committed

    def settled(self) -> Recorded:
        """It is durable: the call with its outcome."""
        assert self._done is not None
        self._run.written(self._carried)
        return self._done

    def __call__(self, outcome: object) -> Sequence[Change]:
        self._done, self._carried = self._run.recorded(self.known, outcome)
        return self._run.rows(self._carried)

    def discard(self) -> None:
        if self._done is not None:
            self._run.discard(self._done)
            self._done = None


def _answering(reply: object) -> Own:
    async def own(*call: object) -> object:
        return reply

    return own


async def _fail(work: Work, error: AiosError) -> None:
    """Remember an error, unless the call was committed already, or there is no room to."""
    if work.is_committed or isinstance(error, NoSpace):
        return
    try:
        await work.fail(error)
    except (NoSpace, Busy):
        return  # Not durable: the call is made again.


def _again(call: Syscall[Any], known: Recorded) -> Any:
    """What the program was told; of an attempt, what became of it."""
    assert known.outcome is not None
    reply = opened(type(call), known.outcome)
    if not isinstance(reply, Attempted):
        return reply
    if known.reported is None:
        return Attempted(known.number, "unknown")
    return Attempted(known.number, "done", known.reported)
