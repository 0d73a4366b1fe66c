"""One tree of errors. What crosses a border is one of these; it knows no room and no wire.

AiosError
  InvalidArgument     the caller's value is not acceptable; says what was expected
  NotFound            no such process, model, tool, generation, ...; says what is known
  Denied              the caller may not do this
    Unauthenticated   nobody known speaks with this token, or there is none
  WrongState          the object exists but is in no state for this
  Conflict            the object changed since the caller saw it; tells both versions
  Diverged            a durable program no longer makes the calls that its journal remembers
  Busy                a bound is reached; says when to try again
  QuotaExceeded       the caller's own allowance of bytes, files or calls is used up
  OutcomeUnknown      the kernel or the line to it broke meanwhile; it is not done again by itself
  NoSpace             the disk is full; reads go on, writes come back when there is room
  DeadlineExceeded    the caller's own time limit passed
  Cancelled           somebody entitled to it cancelled the work
  CoreFailed          an LLM core could not do the work and cannot be mended by waiting
  Damaged             stored bytes are not what was written
  ShuttingDown        the kernel stops; the work is kept where that was promised
"""

from typing import ClassVar


class AiosError(Exception):
    """Root of all errors that AIOS raises on purpose."""

    code: ClassVar[str] = "error"

    @property
    def message(self) -> str:
        return str(self)


class InvalidArgument(AiosError, ValueError):
    """A value is not acceptable: which field, what was expected, what came."""

    code = "invalid_argument"


class NotFound(AiosError):
    """Nothing has that name or number."""

    code = "not_found"


class Denied(AiosError):
    """The caller lacks the right to do this."""

    code = "denied"


class Unauthenticated(Denied):
    """The caller showed no token, or one that nobody living speaks with."""

    code = "unauthenticated"


class WrongState(AiosError):
    """The object's state does not allow this act."""

    code = "wrong_state"


class Conflict(AiosError):
    """The object changed since the version that the caller's change was made from."""

    code = "conflict"

    def __init__(
        self, message: str, *, base: int | None = None, current: int | None = None
    ) -> None:
        super().__init__(message)
        self.base = base  # the version the caller built on
        self.current = current  # the version there is


class Diverged(AiosError):
    """A durable program, run again, made another call than the journal remembers: it changed."""

    code = "diverged"


class Busy(AiosError):
    """A bound is reached; the same call may succeed after `retry_after_s` seconds."""

    code = "busy"

    def __init__(self, message: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class QuotaExceeded(AiosError):
    """The caller's own allowance is used up: of what, how much it is, how much is needed."""

    code = "quota_exceeded"


class OutcomeUnknown(AiosError):
    """Kernel or connection broke after the work may have begun: nobody knows whether it is done."""

    code = "outcome_unknown"


class NoSpace(AiosError):
    """The disk is full or failing; nothing was written, and reads go on."""

    code = "no_space"


class DeadlineExceeded(AiosError):
    """The caller's time limit passed before the work was done."""

    code = "deadline_exceeded"


class Cancelled(AiosError):
    """The work was cancelled by its owner or by the end of its process."""

    code = "cancelled"


class CoreFailed(AiosError):
    """An LLM core could not do the work."""

    code = "core_failed"


class Damaged(AiosError):
    """Stored bytes failed their checksum, version or fingerprint."""

    code = "damaged"


class ShuttingDown(AiosError):
    """The kernel is stopping and takes no more work."""

    code = "shutting_down"


ERRORS: dict[str, type[AiosError]] = {
    kind.code: kind
    for kind in (
        AiosError, InvalidArgument, NotFound, Denied, Unauthenticated, WrongState, Conflict,
        Diverged, Busy, QuotaExceeded, OutcomeUnknown, NoSpace, DeadlineExceeded, Cancelled,
        CoreFailed, Damaged, ShuttingDown,
    )
}  # fmt: skip


def error_from(code: str, message: str) -> AiosError:
    """Rebuild an error that crossed a process border; an unknown code becomes the root."""
    return ERRORS.get(code, AiosError)(message)
