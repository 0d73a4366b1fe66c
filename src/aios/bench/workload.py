"""Who asks what: the paper's travel office, drawn from a seed. Runs nothing and knows no kernel.

*Flight* agents flood the model: several conversations at once, each with long answers over a
growing context. *Calendar*, *hotel* and *purse* agents have short work with tools, one thing at a
time, and need the same model meanwhile. Every request has a known right answer.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from aios.models.pocket import TOOLS, Task, tasks
from aios.models.pocket.chat import segments

FLOOD = "flight"
SHORT_KINDS = {
    "calendar": ("remember", "recall", "calc_save"),
    "hotel": ("write", "read", "calc_note"),
    "purse": ("calc", "recall_calc", "read_calc"),
}
FLIGHTS_AT_ONCE = 4
SHORT_TOKENS_MAX = 128  # a tool call or a sentence
LONG_TOKENS_MAX = 512
_LONG_ANSWER = 280  # characters: some 300 tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One agent of the office: its conversations, and how many of them it has at once."""

    name: str
    family: str
    errands: tuple[Task, ...]
    at_once: int
    tokens_max: int  # of one answer

    @property
    def is_short(self) -> bool:
        return self.family != FLOOD


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much there is to do."""

    agents: int = 64
    flights: int = 8  # of the agents
    flight_errands: int = 4  # conversations of each flight agent
    flight_turns: int = 1  # long answers in each of them
    short_errands: int = 2
    short_turns: int = 1


def office(seed: int, size: Size) -> tuple[Member, ...]:
    """The agents in the order in which they come to work: the flood is there first."""
    return (*_flights(seed, size), *_others(seed, size))


def tokens_at_once(office: tuple[Member, ...], count: Callable[[str], int]) -> int:
    """KV tokens that all would hold if nobody had to wait: each stream at its longest."""
    total = 0
    for member in office:
        lengths = sorted((_tokens(task, count) for task in member.errands), reverse=True)
        total += sum(lengths[: member.at_once])
    return total


def tokens_longest(office: tuple[Member, ...], count: Callable[[str], int]) -> int:
    """Tokens of the longest conversation: less KV than this and a task could never end."""
    return max(_tokens(task, count) for member in office for task in member.errands)


def _flights(seed: int, size: Size) -> list[Member]:
    drawn = _long_conversations(seed, size.flight_turns)
    return [
        Member(
            name=f"{FLOOD}-{number + 1}",
            family=FLOOD,
            errands=tuple(islice(drawn, size.flight_errands)),
            at_once=FLIGHTS_AT_ONCE,
            tokens_max=LONG_TOKENS_MAX,
        )
        for number in range(size.flights)
    ]


def _others(seed: int, size: Size) -> list[Member]:
    families = list(SHORT_KINDS)
    draws = {family: _short_conversations(seed, family, size.short_turns) for family in families}
    members = []
    for number in range(size.agents - size.flights):
        family = families[number % len(families)]
        members.append(
            Member(
                name=f"{family}-{number // len(families) + 1}",
                family=family,
                errands=tuple(islice(draws[family], size.short_errands)),
                at_once=1,
                tokens_max=SHORT_TOKENS_MAX,
            )
        )
    return members


def _long_conversations(seed: int, turns: int) -> Iterator[Task]:
    endless = tasks(f"office {FLOOD} {seed}", 1_000_000, kinds={"count"}, turns=turns)
    for task in endless:
        if _is_plain(task) and all(len(turn.answer) >= _LONG_ANSWER for turn in task.turns):
            yield task


def _short_conversations(seed: int, family: str, turns: int) -> Iterator[Task]:
    kinds = set(SHORT_KINDS[family])
    for task in tasks(f"office {family} {seed}", 1_000_000, kinds=kinds, turns=turns):
        if _is_plain(task) and all(turn.calls for turn in task.turns):
            yield task


def _is_plain(task: Task) -> bool:
    """Every listed tool is real and none is made to fail: the office is no test of recovery."""
    return not task.faults and set(task.tools) <= set(TOOLS)


def _tokens(task: Task, count: Callable[[str], int]) -> int:
    return sum(count(part.text) for part in segments(task))
