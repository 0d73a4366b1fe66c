"""Handlers of messages between agents: each is received exactly once, also over a crash."""

from collections import deque
from itertools import count

from aios.config import Limits
from aios.errors import Busy, InvalidArgument, WrongState
from aios.journal import statements
from aios.journal.base import Work
from aios.kernel import process_rows
from aios.kernel.lives import Lives
from aios.kernel.process import Letter, Process
from aios.syscalls import Mail, Ok, Pid, Receive, Send
from aios.syscalls.codec import encode


class MailCalls:
    """A message enters RAM once it is durable, and leaves the journal with its receiver's reply."""

    def __init__(self, lives: Lives, limits: Limits) -> None:
        self._lives = lives
        self._limits = limits
        self._numbers = count(1)

    async def send(self, process: Process, call: Send, work: Work) -> Ok:
        target = self._lives.table.find(call.pid)
        if target.has_ended:
            raise WrongState(f"process {target.pid} has ended: {target.state}")
        size = len(encode(call.body))
        if size > self._limits.mail_bytes_max:
            raise InvalidArgument(
                f"the body has {size} bytes; expected at most {self._limits.mail_bytes_max}"
            )
        held = len(target.mail or ()) + target.mail_due
        if held >= self._limits.mail_max:
            raise Busy(f"the mailbox of process {target.pid} holds {held} messages")
        letter = Letter(next(self._numbers), Mail(sender=process.pid, body=call.body))
        work.extend([process_rows.sent(letter, target.pid)])
        target.mail_due += 1
        try:
            await work.commit(Ok())
        finally:
            target.mail_due -= 1
        self.deliver(target, letter)
        return Ok()

    async def receive(self, process: Process, call: Receive, work: Work) -> Mail:
        letter = await self._first(process, call.timeout_s)
        work.add(statements.MAIL_TAKE, letter.number)
        try:
            await work.commit(letter.mail)
        except BaseException:
            self._give_back(process, letter)
            raise
        if work.is_unwanted and not work.name:  # Nobody has it, and nobody can ask for it again.
            self._lives.post(process_rows.sent(letter, process.pid))
            self._give_back(process, letter)
        return letter.mail

    def restore(self, last: int) -> None:
        """Numbers up to `last` have been given."""
        self._numbers = count(last + 1)

    def deliver(self, target: Process, letter: Letter) -> None:
        """Put a durable message into the mailbox. One that has ended has none."""
        if target.has_ended:
            return
        if target.mail is None:
            target.mail = deque()
        target.mail.append(letter)
        self._wake(target.pid)

    async def _first(self, process: Process, timeout_s: float | None) -> Letter:
        """Take the oldest message out of the mailbox, waiting for one."""
        clock, waits = self._lives.clock, self._lives.waits
        until = None if timeout_s is None else clock.now() + timeout_s
        while not process.mail:
            left = None if until is None else until - clock.now()
            try:
                await waits.wait(_mail_for(process.pid), process.pid, left)
            except BaseException:
                if process.mail:  # Woken for it and leaving: another receiver takes it.
                    self._wake(process.pid)
                raise
            process.check_alive()
        return process.mail.popleft()

    def _give_back(self, process: Process, letter: Letter) -> None:
        if not process.has_ended:
            assert process.mail is not None
            process.mail.appendleft(letter)
            self._wake(process.pid)

    def _wake(self, pid: Pid) -> None:
        self._lives.waits.wake(_mail_for(pid), all_of_them=False)


def _mail_for(pid: Pid) -> tuple[str, Pid]:
    return ("mail for", pid)
