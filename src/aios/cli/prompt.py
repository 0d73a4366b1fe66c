"""Asks the person at the terminal, while a command's own kernel runs, what agents wait for.

Who has no terminal is not asked: such a kernel is given no asker, and says no at once.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from aios.cli.approvals import told
from aios.errors import AiosError

if TYPE_CHECKING:
    from aios.kernel import Kernel
    from aios.syscalls.approval import Approval
    from aios.telemetry.events import Event

FULL = "full"  # shows the question again, with all its arguments
ANSWERS = {"y": True, "yes": True, "n": False, "no": False}
Ask = Callable[[str], Awaitable[str | None]]
"""Shows a text and returns the line that follows; None where there will be no more."""


def is_at_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


@asynccontextmanager
async def prompting(kernel: "Kernel", ask: Ask) -> AsyncIterator[None]:
    """As long as the block lasts, questions are put to whoever `ask` reaches, one at a time."""
    from aios.telemetry.events import Answered, Asked

    news = asyncio.Event()

    def heard(event: "Event") -> None:
        if isinstance(event, Asked | Answered):
            news.set()

    forget = kernel.bus.listen(heard)
    task = asyncio.get_running_loop().create_task(_put(kernel, ask, news), name="prompt")
    try:
        yield
    finally:
        forget()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def at_terminal(text: str) -> str | None:
    """Ask on standard error, read from standard input; other tasks go on meanwhile."""
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()
    sys.stderr.write(text)
    sys.stderr.flush()
    descriptor = sys.stdin.fileno()
    loop.add_reader(descriptor, _read_into, line)
    try:
        return await line or None
    finally:
        loop.remove_reader(descriptor)


def _read_into(line: asyncio.Future[str]) -> None:
    if not line.done():
        line.set_result(sys.stdin.readline())


async def _put(kernel: "Kernel", ask: Ask, news: asyncio.Event) -> None:
    """Put each question while it stands; one that is over meanwhile is put no longer."""
    in_full = 0  # the question of which everything was asked for
    while True:
        news.clear()
        question = await _oldest(kernel)
        if question is None:
            await news.wait()
            continue
        if question.id == in_full:
            question = await _in_full(kernel, question)
        asking = asyncio.ensure_future(ask(f"\n{told(question)}\nallow it? [yes/no/full] "))
        try:
            answer = await _unless_over(kernel, question, asking, news)
        finally:
            asking.cancel()
        if answer is None and asking.done() and not asking.cancelled():
            return  # Nobody is there any more.
        if answer is not None and answer.strip().lower() == FULL:
            in_full = question.id
        if answer is not None and answer.strip().lower() in ANSWERS:
            await _say(kernel, question, yes=ANSWERS[answer.strip().lower()])


async def _unless_over(
    kernel: "Kernel", question: "Approval", asking: asyncio.Future[str | None], news: asyncio.Event
) -> str | None:
    """The answer, or None once the question does not stand any more."""
    while not asking.done():
        news.clear()
        hearing = asyncio.ensure_future(news.wait())
        both: list[asyncio.Future[Any]] = [asking, hearing]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        hearing.cancel()
        oldest = await _oldest(kernel)
        if not asking.done() and (oldest is None or oldest.id != question.id):
            return None
    return asking.result()


async def _oldest(kernel: "Kernel") -> "Approval | None":
    from aios.syscalls.approval import Approvals

    waiting = (await kernel.call(kernel.token, Approvals(limit=1))).approvals
    return waiting[0] if waiting else None


async def _in_full(kernel: "Kernel", question: "Approval") -> "Approval":
    from aios.syscalls.approval import Approvals

    found: Approval = (await kernel.call(kernel.token, Approvals(id=question.id))).approvals[0]
    return found


async def _say(kernel: "Kernel", question: "Approval", *, yes: bool) -> None:
    from aios.syscalls.approval import AnswerApproval

    call = AnswerApproval(id=question.id, digest=question.digest, yes=yes)
    try:
        await kernel.call(kernel.token, call)
    except AiosError as error:
        sys.stderr.write(f"aios: {error.message}\n")
