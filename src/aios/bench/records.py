"""What a run of the office was: calls, answers and spans on lanes, and the figures made of them.

Frozen data and arithmetic; knows neither kernel nor model, so every way to run is judged alike.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from aios.syscalls import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One LLM call as its agent saw it. Times are seconds of one clock.

    `answered` is None where the run was over before the answer came.
    """

    agent: str
    submitted: float
    answered: float | None
    first_wait_s: float = 0.0  # until the model first worked on it
    tokens: int = 0  # of the answer
    cached_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One finished conversation, and whether every answer and everything left behind was right."""

    agent: str
    kind: str
    right: bool
    messages: tuple[Message, ...]


class Ending(StrEnum):
    """How an occupation of a lane ended."""

    DONE = "done"
    SWITCHED = "switched"  # taken off by the scheduler, to go on later
    OUT_OF_MEMORY = "out of memory"  # thrown away, to be tried again
    CUT = "cut"  # given up, or still there when the run was over


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """An agent's call holding a lane for a while."""

    lane: int
    agent: str
    start: float
    end: float
    ending: Ending


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Everything that one way to run the office left to be judged by."""

    policy: str
    started: float
    ended: float
    calls: tuple[Call, ...]
    errands: tuple[Errand, ...]
    tasks: int  # that there were to do
    spans: tuple[Span, ...] = ()
    alarms: tuple[float, ...] = ()  # when memory ran out
    short: frozenset[str] = frozenset()  # agents that have short calls


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The figures of one run. A wait lasts from a call's submission to its answer."""

    policy: str
    mode: str
    llm_calls: int
    llm_calls_per_s: float
    tokens_per_s: float
    wait_mean_s: float
    wait_p90_s: float
    first_wait_mean_s: float
    first_wait_p90_s: float
    short_wait_p90_s: float
    makespan_s: float
    switches: int
    oom_retries: int
    cached_tokens: int
    tasks_ok: int
    tasks_done: int
    tasks: int


def row_of(run: Run, mode: str) -> Row:
    """Judge a run. A call without an answer waited until the run's end, at the least."""
    answered = [call for call in run.calls if call.answered is not None]
    seconds = max(run.ended - run.started, 1e-9)
    waits = [_wait_s(call, run.ended) for call in run.calls]
    short = [_wait_s(call, run.ended) for call in run.calls if call.agent in run.short]
    first = [call.first_wait_s for call in answered]
    return Row(
        policy=run.policy,
        mode=mode,
        llm_calls=len(answered),
        llm_calls_per_s=round(len(answered) / seconds, 3),
        tokens_per_s=round(sum(call.tokens for call in answered) / seconds, 1),
        wait_mean_s=round(mean(waits), 4),
        wait_p90_s=round(quantile(waits, 0.9), 4),
        first_wait_mean_s=round(mean(first), 4),
        first_wait_p90_s=round(quantile(first, 0.9), 4),
        short_wait_p90_s=round(quantile(short, 0.9), 4),
        makespan_s=round(seconds, 3),
        switches=sum(span.ending is Ending.SWITCHED for span in run.spans),
        oom_retries=len(run.alarms),
        cached_tokens=sum(call.cached_tokens for call in answered),
        tasks_ok=sum(errand.right for errand in run.errands),
        tasks_done=len(run.errands),
        tasks=run.tasks,
    )


def mean(values: Sequence[float]) -> float:
    """The mean; 0 of nothing."""
    return sum(values) / len(values) if values else 0.0


def quantile(values: Iterable[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed; 0 of nothing."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def _wait_s(call: Call, ended: float) -> float:
    return (ended if call.answered is None else call.answered) - call.submitted
