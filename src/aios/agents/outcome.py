"""What an agent hands back: the answer, and everything that led to it. Frozen data.

A Struct, so that it can be a process's result; from a wire, `msgspec.convert(exited.result,
Outcome)` restores it.
"""

import msgspec

from aios.syscalls import Message, ToolCall


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One turn that acted: what was thought, which tools were called, what each of them said."""

    thought: str
    actions: tuple[ToolCall, ...]
    observations: tuple[str, ...]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a task ended.

    `succeeded` says that there is an answer, or, where somebody judged it, that it passed.
    `trials` counts attempts; `steps` and `messages` are those of the last one, the answer's own
    message included; `reflections` are all that were made between trials.
    """

    answer: str
    succeeded: bool
    steps: tuple[Step, ...]
    messages: tuple[Message, ...]
    trials: int = 1
    reflections: tuple[str, ...] = ()
