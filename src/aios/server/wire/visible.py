"""What of a stream's text may be shown before it is known whether it calls a tool.

A core's deltas are what the model writes, marks of tool calls included; only the completion tells
text and calls apart. So a mark, or what may become one, is held back, and at the end what the
completion says is shown as far as it was not shown yet.
"""

from aios.cores.torch.chat import FORMS
from aios.syscalls import Decoding

MARKS = tuple(form.begin for form in FORMS)


class Visible:
    """The text of one choice. `may_call`: tools could be called; `must_call`: nothing else is."""

    def __init__(self, *, may_call: bool, must_call: bool) -> None:
        self._may_call = may_call
        self._is_closed = must_call
        self._held = ""
        self._shown: list[str] = []
        self._count = 0  # characters shown

    def push(self, text: str) -> str:
        """What can be shown now that the model wrote `text`."""
        if not self._may_call:
            return self._show(text)
        if self._is_closed:
            return ""
        self._held += text
        safe = self._safe()
        fresh, self._held = self._held[:safe], self._held[safe:]
        return self._show(fresh)

    def end(self, content: str | None) -> str:
        """What of the finished content was not shown yet."""
        content = content or ""
        if not self._may_call:
            return content[self._count :]
        shown = "".join(self._shown)
        for told in (shown, shown.lstrip()):
            if content.startswith(told):
                return content[len(told) :]
        return ""

    def _show(self, text: str) -> str:
        self._count += len(text)
        if self._may_call and text:
            self._shown.append(text)
        return text

    def _safe(self) -> int:
        """How much of the held text is certainly no call; white space waits for what follows."""
        held = self._held
        found = [at for mark in MARKS if (at := held.find(mark)) >= 0]
        bare = not self._shown and held.lstrip().startswith("{")  # a form that needs no mark
        if found or bare:
            self._is_closed = True
            return len(held[: 0 if bare else min(found)].rstrip())
        return len(held[: len(held) - max(map(self._begun, MARKS))].rstrip())

    def _begun(self, mark: str) -> int:
        """How many of the mark's first characters end the held text."""
        lengths = range(min(len(mark) - 1, len(self._held)), 0, -1)
        return next((some for some in lengths if self._held.endswith(mark[:some])), 0)


def visible(decoding: Decoding) -> Visible:
    """For an answer that is decoded so."""
    may_call = bool(decoding.tools) and decoding.tool_choice != "none"
    return Visible(
        may_call=may_call, must_call=may_call and decoding.tool_choice not in ("auto", "none")
    )
