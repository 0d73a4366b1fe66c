"""Worlds that recorded tool calls act on: an airline's desk, and machines of recorded functions.

A world answers a call at once and changes by it; running it twice from its start gives the same
answers. Knows no kernel.
"""

import copy
import gzip
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import msgspec

from aios.bench.airline import TOUCHES, Airline
from aios.bench.recorded_calls import (
    Called,
    Function,
    Machine,
    Task,
    load_functions,
    load_tasks,
    rows,
)

TABLES = ("users", "reservations", "flights")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A tool of a world: what a model is told, and the resources that it reads and writes."""

    name: str
    description: str
    parameters: dict[str, Any]
    reads: tuple[str, ...]
    writes: tuple[str, ...]


class World(Protocol):
    """Something with a state that calls change. A call that it refuses raises `ValueError`."""

    @property
    def offers(self) -> Sequence[Offer]: ...

    def answer(self, name: str, arguments: Mapping[str, Any]) -> str: ...

    def state(self) -> str:
        """Equal exactly where the worlds are."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A recorded call by name."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A task: its calls in order, and its world as it is at the start."""

    id: str
    calls: tuple[Call, ...]
    world: Callable[[], World]


class Desk:
    """The airline as a world."""

    def __init__(self, database: bytes, offers: Sequence[Offer]) -> None:
        self.offers = offers
        self._airline = Airline(**msgspec.msgpack.decode(database))

    def answer(self, name: str, arguments: Mapping[str, Any]) -> str:
        given = copy.deepcopy(dict(arguments))  # The desk keeps what it is given.
        return _text(getattr(self._airline, name)(**given))

    def state(self) -> str:
        whole = msgspec.msgpack.encode(self._airline.state)
        return hashlib.sha256(whole).hexdigest()


class Machines:
    """The machines of one task as a world."""

    def __init__(self, start: Mapping[str, Any], functions: Mapping[str, Function]) -> None:
        names = {one.machine for one in functions.values()}
        self.offers = tuple(_offer(one) for one in functions.values())
        self._functions = functions
        self._machines = {name: Machine([name, start]) for name in sorted(names)}

    def answer(self, name: str, arguments: Mapping[str, Any]) -> str:
        function = self._functions[name]
        called = Called(function=function, arguments=dict(arguments))
        return self._machines[function.machine].answer(called)

    def state(self) -> str:
        return _text({name: one.state for name, one in self._machines.items()})


def airline_cases(folder: Path) -> list[Case]:
    """The tasks of `tau_airline`; each has what it names of the database to itself."""
    tables = {
        name: json.loads(gzip.decompress((folder / "db" / f"{name}.json.gz").read_bytes()))
        for name in TABLES
    }
    told = (row["function"] for row in rows(folder / "tool_schemas.jsonl"))
    offers = tuple(
        Offer(
            name=one["name"],
            description=one["description"],
            parameters=one["parameters"],
            reads=tuple(TOUCHES[one["name"]][0]),
            writes=tuple(TOUCHES[one["name"]][1]),
        )
        for one in told
    )
    return [
        Case(
            id=f"airline-{row['task_id']}",
            calls=tuple(Call(name=one["name"], arguments=one["kwargs"]) for one in row["actions"]),
            world=partial(Desk, _named_in(_text(row["actions"]), tables), offers),
        )
        for row in rows(folder / "tasks_test.jsonl")
    ]


def function_cases(folder: Path) -> list[Case]:
    """The tasks of `bfcl`; each has machines of its own."""
    functions = load_functions(folder)
    return [_case(task, functions) for task in load_tasks(folder, functions)]


def _named_in(text: str, tables: Mapping[str, dict[str, Any]]) -> bytes:
    """The flights, and the reservations and users that a task's calls are about."""
    booked = {id: row for id, row in tables["reservations"].items() if id in text}
    owners = {row["user_id"] for row in booked.values()}
    users = {id: row for id, row in tables["users"].items() if id in text or id in owners}
    return msgspec.msgpack.encode(
        {"users": users, "reservations": booked, "flights": tables["flights"]}
    )


def _case(task: Task, functions: Mapping[str, Function]) -> Case:
    used = {one.function.machine for turn in task.turns for one in turn}
    own = {name: one for name, one in functions.items() if one.machine in used}
    calls = (one for turn in task.turns for one in turn)
    return Case(
        id=task.id.replace("multi_turn_base_", "functions-"),
        calls=tuple(Call(name=one.function.name, arguments=one.arguments) for one in calls),
        world=lambda: Machines(task.start, own),
    )


def _offer(function: Function) -> Offer:
    state = (function.machine,)
    return Offer(
        name=function.name,
        description=function.description,
        parameters=function.parameters,
        reads=state if function.is_read else (),
        writes=() if function.is_read else state,
    )


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True)
