"""What a call costs, known before it acts: a call, bytes that it writes, the price of a tool.

Not counted: looks at one's own data, and what only steers (ending, waiting, answering, budgets,
rights), so that an agent at its limit can still be looked at, topped up and ended. A tool is no
look, whatever it declares. What a generation costs is known later, from its prompt.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from aios.access.acts import ACTS, act_of
from aios.access.base import Act, Effect
from aios.access.budgets import UNIT, units
from aios.access.policy import Line, Policy
from aios.syscalls import file, history, memory, note, tool
from aios.syscalls.base import Syscall
from aios.syscalls.budget import Resource
from aios.syscalls.codec import encode

Wants = Mapping[Resource, int]
FREE_FAMILIES = ("access.", "approval.", "audit.", "budget.", "kernel.")
STEERING = frozenset({
    "llm.cancel", "process.attempt", "process.exit", "process.inspect", "process.kill",
    "process.list", "process.now", "process.pause", "process.report", "process.resume",
    "process.wait", "process.whoami", "tool.list", "llm.models",
    "program.feed", "program.log",
})  # fmt: skip
OWN = frozenset({"process.receive"})  # a look at what is one's own, though it takes it away
TIME_ONLY: Wants = {Resource.SECONDS: 0}
ONE_CALL: Wants = {Resource.CALLS: UNIT, Resource.SECONDS: 0}
LOOKS = frozenset({Effect.NONE, Effect.READ})
THINKING = frozenset({"llm.generate", "llm.stream", "llm.embed"})


def is_free(act: Act) -> bool:
    """Whether it costs nothing, time neither."""
    return act.verb in STEERING or act.verb.startswith(FREE_FAMILIES)


def wants_of(act: Act, agent: str, call: Syscall[Any], price_of: Callable[[str], float]) -> Wants:
    """What is to be held before a call that is not free."""
    run = RUN.get(type(call))
    if run is not None:
        names = run(call)
        money = sum(units(price_of(name)) for name in names)
        return {**TIME_ONLY, Resource.CALLS: len(names) * UNIT, Resource.MONEY: money}
    is_look = act.effect in LOOKS and act.verb not in THINKING
    if act.verb in OWN or (is_look and act.owner == agent):
        return TIME_ONLY
    size = BYTES.get(type(call))
    return ONE_CALL if size is None else {**ONE_CALL, Resource.BYTES: size(call) * UNIT}


def parts_of(act: Act, call: Syscall[Any]) -> list[tuple[Act, Syscall[Any]]]:
    """The single acts of one that is several."""
    parts = ACTS[type(call)].parts
    inside = () if parts is None else parts(call)
    return [(act_of(ACTS[type(one)], one, act.owner), one) for one in inside]


class Dear:
    """The lines of one policy that ask of what costs much."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.lines = tuple(line for line in policy.ask if line.over is not None)
        self.by_kind: dict[type[Syscall[Any]], tuple[Line, ...]] = {}

    def at_gate(self, kind: type[Syscall[Any]]) -> tuple[Line, ...]:
        """Those that may be about such a call, as far as its cost is known before it acts."""
        named = [one for one, kinds in KNOWN.items() if kinds is None or kind in kinds]
        lines = self.by_kind[kind] = tuple(
            line
            for line in self.lines
            if line.over is not None and any(line.over.names(one) is not None for one in named)
        )
        return lines


def _text(value: str | None) -> int:
    return 0 if value is None else len(value.encode(errors="surrogatepass"))


def _data(call: Any) -> int:
    return len(call.data)


def _note(call: Any) -> int:
    return _text(call.text) + _text(call.context)


def _steps(call: Any) -> int:
    return sum(BYTES[type(step)](step) for step in call.steps if type(step) in BYTES)


BYTES: Mapping[type[Syscall[Any]], Callable[[Any], int]] = {
    file.Create: _data,
    file.WriteFile: _data,
    file.AppendFile: _data,
    file.Edit: lambda call: _text(call.new),
    file.Transaction: _steps,
    memory.Write: _data,
    memory.Append: _data,
    note.Add: _note,
    note.Update: _note,
    history.Extend: lambda call: len(encode(call.messages)),
}
"""Bytes that a call writes, by what it brings along; copies and moves bring none."""

RUN: Mapping[type[Syscall[Any]], Callable[[Any], Sequence[str]]] = {
    tool.CallTool: lambda call: [call.name],
    tool.CallTools: lambda call: [one.name for one in call.calls],
}
"""The tools that a call runs: each is a call, whatever the tool does, and costs its price."""

KNOWN: Mapping[Resource, Collection[type[Syscall[Any]]] | None] = {
    Resource.CALLS: None,
    Resource.MONEY: RUN,
    Resource.BYTES: BYTES,
}
"""What is known at the gate, by the kinds that cost it; None: all that are not free."""
