"""Plans: which call is one that was declared. Pure; who declared it and when, it does not know.

A call is taken as a verb, a tool and its arguments. What cannot be read for certain is no part of
any plan: two values for one name, a number that is none.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from aios.syscalls.access import PlannedAct
from aios.syscalls.base import Syscall, name_of
from aios.syscalls.tool import CallTool

Arguments = Mapping[str, Any]


class Made(NamedTuple):
    """A call as plans see it. `sensitive` None: every argument is."""

    verb: str
    tool: str
    arguments: Arguments | None  # None: they cannot be read for certain
    sensitive: Collection[str] | None


def made(call: Syscall[Any], sensitive: Collection[str] | None = None) -> Made:
    if isinstance(call, CallTool):
        return Made(name_of(CallTool), call.name, arguments_of(call.arguments), sensitive)
    return Made(name_of(type(call)), "", _fields(call), None)


def arguments_of(text: str) -> Arguments | None:
    """A JSON object as every reader of JSON reads it; None for anything else."""
    try:
        read = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def matches(planned: PlannedAct, made: Made) -> bool:
    """Whether it is this act, and all on which harm hangs was fixed when it was declared."""
    if (planned.verb, planned.tool) != (made.verb, made.tool) or made.arguments is None:
        return False
    fixed, given = planned.fixed, made.arguments
    free = set(given) - set(fixed)
    if not set(fixed) <= set(given) or not free <= set(planned.open):
        return False
    if free if made.sensitive is None else free.intersection(made.sensitive):
        return False
    return all(is_same(value, given[name]) for name, value in fixed.items())


def places(plan: Sequence[PlannedAct], calls: Iterable[Made]) -> list[int | None]:
    """For each call the act of the plan that it uses up; None for one that is not planned.

    A call takes the act that leaves least open of those that fit it, so that the wider ones are
    there for what fits no other.
    """
    taken: list[int | None] = []
    for call in calls:
        fitting = [
            place
            for place, act in enumerate(plan)
            if taken.count(place) < act.uses and matches(act, call)
        ]
        taken.append(min(fitting, key=lambda place: len(plan[place].open), default=None))
    return taken


def names_all(plan: Sequence[PlannedAct], calls: Iterable[Made]) -> bool:
    """Whether each of the calls is one that the plan names, whatever it leaves open."""
    return all(any(matches(act, one._replace(sensitive=())) for act in plan) for one in calls)


def fixes_all(planned: PlannedAct, made: Made) -> bool:
    """Whether a call that fits was known in full when it was planned."""
    return set(made.arguments or ()) <= set(planned.fixed)


def used(plan: Sequence[PlannedAct], places: Iterable[int | None]) -> tuple[PlannedAct, ...]:
    """What is left of the plan."""
    left = [act.uses for act in plan]
    for place in places:
        if place is not None:
            left[place] -= 1
            assert left[place] >= 0
    return tuple(
        msgspec.structs.replace(act, uses=count)
        for act, count in zip(plan, left, strict=True)
        if count
    )


def is_same(one: Any, other: Any) -> bool:
    """Equal as JSON: a number is no truth value, and 1 is 1.0."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return set(one) == set(other) and all(is_same(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(is_same, one, other))
    return bool(one == other)


def _fields(call: Syscall[Any]) -> Arguments:
    """The fields that say more than their default, as JSON has them."""
    default = {
        field.name: field.default
        for field in msgspec.structs.fields(call)
        if field.default is not msgspec.NODEFAULT
    }
    given = msgspec.structs.asdict(call)
    told = {name: one for name, one in given.items() if name not in default or one != default[name]}
    return dict(msgspec.to_builtins(told))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")
