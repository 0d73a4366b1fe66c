"""The benchmarks there are, and what each is given and gives back. Imports none of them.

A benchmark is a function `run(options, tell) -> Report`; `tell` shows progress to a person.
"""

import importlib
from collections.abc import Callable
from typing import Any

import msgspec

from aios.errors import NotFound

BENCHMARKS: dict[str, str] = {  # name: module:function, imported when it is asked for
    "agentdojo": "aios.bench.agentdojo:run",
    "decode": "aios.bench.decode:run",
    "durability": "aios.bench.durability:run",
    "eviction": "aios.bench.eviction:run",
    "hostile": "aios.bench.hostile.suite:run",
    "load": "aios.bench.load:run",
    "overhead": "aios.bench.overhead:run",
    "retrieval": "aios.bench.retrieval:run",
    "scaling": "aios.bench.scaling:run",
    "switch": "aios.bench.switch:run",
    "throughput": "aios.bench.throughput:run",
    "tools": "aios.bench.tools:run",
    "traffic": "aios.bench.traffic:run",
}


ON_DEVICES = frozenset({"decode", "switch", "throughput"})  # those that compute with a model


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How long a run may take (quick: 90 s on two cores), its seed, and what its model runs on."""

    is_quick: bool = True
    seed: int = 0
    device: str = "cpu"  # as an engine's settings have it


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Rows for people; every cell is text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """What was to be reached. A missed promise fails the run; missed speed is only shown."""

    what: str
    bar: str
    measured: str
    is_met: bool
    is_promise: bool = False


def at_most(what: str, measured: float, most: float, unit: str = "", form: str = ".2f") -> Bar:
    """A bar that is not to be passed; `form` is how the measured figure is shown."""
    told = f"{measured:{form}}{unit}"
    return Bar(what=what, bar=f"<= {most:,g}{unit}", measured=told, is_met=measured <= most)


def at_least(what: str, measured: float, least: float, unit: str = "", form: str = ".2f") -> Bar:
    """A bar that is to be reached."""
    told = f"{measured:{form}}{unit}"
    return Bar(what=what, bar=f">= {least:,g}{unit}", measured=told, is_met=measured >= least)


def none(what: str, count: int) -> Bar:
    """The promise that there is nothing of the kind."""
    return Bar(what=what, bar="0", measured=str(count), is_met=not count, is_promise=True)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a run found: `result` has the documented fields, `more` whatever else was measured."""

    result: msgspec.Struct
    tables: tuple[Table, ...]
    bars: tuple[Bar, ...]
    more: dict[str, Any] = {}


Tell = Callable[[str], None]
Benchmark = Callable[[Options, Tell], Report]


def quiet(progress: str) -> None:
    """Nobody watches."""


def benchmark(name: str) -> Benchmark:
    """The benchmark of that name, imported now."""
    if name not in BENCHMARKS:
        raise NotFound(f"no benchmark {name!r}; known: {', '.join(sorted(BENCHMARKS))}")
    found: Benchmark = named(BENCHMARKS[name])
    return found


def named(place: str) -> Any:
    """What `module:name` names, imported now."""
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)
