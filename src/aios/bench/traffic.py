"""`aios bench traffic`: recorded tool calls through the kernel, against the same made directly.

Each task has a world of its own, and its calls are made at once; only what the tools declare that
they read and write keeps the kernel from mixing them up. The control declares nothing: it has to
differ, or equal results would prove nothing. Needs the folder that AIOS_DATA names.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from aios.bench.table import Bar, Options, Report, Table, Tell
from aios.bench.traffic_run import Done, through_kernel
from aios.bench.traffic_worlds import Case, World, airline_cases, function_cases
from aios.errors import NotFound
from aios.syscalls.tool import Text, ToolResult

DATA = "AIOS_DATA"
SEEDS = {True: 3, False: 100}  # by whether it is quick
GROUP = 10  # tasks in one kernel; a world of the airline has 60,000 objects


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """One recording: its calls over all seeds, and what differed from a direct run."""

    name: str
    tasks: int
    calls: int
    refused: int  # by the recording's own schema, so neither way made them
    different: int
    worlds_different: int
    control_different: int  # of one seed, with nothing declared
    pauses: int
    virtual_seconds: float


class Traffic(msgspec.Struct, frozen=True):
    """Both recordings."""

    recordings: tuple[Compared, ...]


def run(options: Options, tell: Tell) -> Report:
    """Every seed is another schedule."""
    folder = _folder()
    seeds = range(options.seed, options.seed + SEEDS[options.is_quick])
    cases = {
        "airline": airline_cases(folder / "tau_airline"),
        "functions": function_cases(folder / "bfcl"),
    }
    compared = []
    for name in cases:
        tell(f"{name}: {len(cases[name])} tasks")
        compared.append(_compared(name, cases[name], seeds))
    rows = [
        (
            one.name, str(one.tasks), str(one.calls), str(one.refused), str(one.different),
            str(one.worlds_different), str(one.control_different), str(one.pauses),
        )
        for one in compared
    ]  # fmt: skip
    columns = ("recording", "tasks", "calls", "refused", "different", "worlds", "control", "pauses")
    return Report(
        result=Traffic(tuple(compared)),
        tables=(Table(title="Recorded tool calls", columns=columns, rows=tuple(rows)),),
        bars=tuple(map(_bar, compared)),
    )


def _folder() -> Path:
    place = os.environ.get(DATA)
    if not place or not Path(place, "bfcl").is_dir():
        raise NotFound(
            f"no recordings; expected {DATA} to name the folder of `bfcl`, `tau_airline`"
        )
    return Path(place)


def _bar(one: Compared) -> Bar:
    wrong = one.different + one.worlds_different
    return Bar(
        what=f"{one.name}: results equal to direct calls, and differ where nothing is declared",
        bar="0 different",
        measured=f"{wrong} of {one.calls} calls and their worlds; control {one.control_different}",
        is_met=not wrong and one.control_different > 0,
        is_promise=True,
    )


def _compared(name: str, cases: Sequence[Case], seeds: Sequence[int]) -> Compared:
    groups = [cases[at : at + GROUP] for at in range(0, len(cases), GROUP)]
    runs = [(group, through_kernel(group, seed)) for seed in seeds for group in groups]
    control = [(group, through_kernel(group, seeds[0], is_declared=False)) for group in groups]
    found = [_differences(group, done) for group, done in runs]
    return Compared(
        name=name,
        tasks=len(cases),
        calls=sum(len(case.calls) for case in cases) * len(seeds),
        refused=sum(
            _is_refused(one) for _, done in runs for told in done.results.values() for one in told
        ),
        different=sum(calls for calls, _ in found),
        worlds_different=sum(worlds for _, worlds in found),
        control_different=sum(_differences(group, done)[0] for group, done in control),
        pauses=sum(done.pauses for _, done in runs),
        virtual_seconds=sum(done.seconds for _, done in runs),
    )


def _differences(cases: Sequence[Case], done: Done) -> tuple[int, int]:
    """Results, and worlds, that a direct run of the calls that were not refused gives otherwise."""
    calls = worlds = 0
    for case in cases:
        world = case.world()
        for call, result in zip(case.calls, done.results[case.id], strict=True):
            if not _is_refused(result):
                calls += _answered(world, call.name, call.arguments) != _said(result)
        worlds += world.state() != done.states[case.id]
    return calls, worlds


def _answered(world: World, name: str, arguments: dict[str, object]) -> str:
    try:
        return world.answer(name, arguments)
    except ValueError as problem:
        return f"ValueError: {problem}"


def _is_refused(result: ToolResult) -> bool:
    return result.is_error and _said(result).startswith("bad arguments")


def _said(result: ToolResult) -> str:
    return "".join(one.text for one in result.contents if isinstance(one, Text))
