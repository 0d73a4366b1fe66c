"""Steps that an agent takes in front of a person: shown first, and asked about where they cost."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aios.errors import Denied


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One act, with the arguments with which it will be made. `because`: why it is asked about."""

    act: str
    text: str
    because: str = ""

    @property
    def is_asked(self) -> bool:
        return bool(self.because)


Show = Callable[[Step], None]
Confirm = Callable[[Step], Awaitable[bool]]


class Gate:
    """The one way from a model's wish to a person's files."""

    def __init__(self, show: Show, confirm: Confirm) -> None:
        self._show = show
        self._confirm = confirm

    async def enter(self, step: Step) -> None:
        """Show a step, and raise `Denied` unless it may be made."""
        self._show(step)
        if step.is_asked and not await self._confirm(step):
            raise Denied("the user said no; nothing was done")
