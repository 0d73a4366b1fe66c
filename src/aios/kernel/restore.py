"""What an earlier kernel left in the journal comes back: processes, their mail, remembered results.

Programs that are not durable cannot go on: their processes have failed. Knows no generation.
"""

from aios.journal import statements
from aios.journal.base import Journal
from aios.kernel import process_rows
from aios.kernel.hosting import STOPPED
from aios.kernel.keys import Keys
from aios.kernel.lives import Lives
from aios.kernel.mail_calls import MailCalls
from aios.syscalls.process import Exited, ProcessState


async def restore(lives: Lives, mail: MailCalls, keys: Keys, journal: Journal) -> None:
    """Fill the table as it was; nothing runs yet."""
    await keys.load()
    await _processes(lives, journal)
    await _mail(lives, mail, journal)
    for process in lives.table.all(ended=False):
        if process.program is not None and not process.is_durable:
            gone = Exited(pid=process.pid, state=ProcessState.FAILED, error=STOPPED)
            lives.post(*process_rows.ended(gone, lives.clock.utc()))
            lives.finish(process, gone)


async def _processes(lives: Lives, journal: Journal) -> None:
    now, utc = lives.clock.now(), lives.clock.utc()
    for statement in (statements.PROCESSES_ENDED, statements.PROCESSES_LIVING):
        for row in await journal.read(statement):
            lives.table.restore(process_rows.restored(row, now=now, utc=utc))
    last = await journal.read(statements.META_GET, process_rows.LAST_PID)
    lives.table.settle(int(last[0][0] or 0) if last else 0)


async def _mail(lives: Lives, mail: MailCalls, journal: Journal) -> None:
    number = 0
    for row in await journal.read(statements.MAIL_ALL):
        pid, letter = process_rows.letter_of(row)
        number = letter.number
        if lives.table.lives(pid):
            mail.deliver(lives.table.find(pid), letter)
        else:  # It was on its way when its receiver ended.
            lives.post(process_rows.lost(letter))
    mail.restore(number)
