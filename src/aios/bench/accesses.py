"""Streams of block accesses for `aios bench eviction`: recorded traces, or stated synthetic ones.

A trace names the blocks of each LLM call's prompt, in order; a stream is those of all calls, one
after another, and where the trace shows a program's last call, what that program leaves. Programs
of which only the shape is recorded are given blocks of their own, and where no times are recorded
the programs take turns as told below.
"""

import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any, NamedTuple

CLAUDE_TOKENS = 1_024  # of a block
CLAUDE_EVERY_S = 300.0  # a program begins, on average
AGENT_TOKENS = {"tau-bench": 128, "mint": 64, "swe-agent": 256}
AT_ONCE = 16  # programs that take turns


class Stream(NamedTuple):
    """Block numbers in the order of their use, and how the stream came to be."""

    name: str
    about: str
    uses: Sequence[int]
    ends: Mapping[int, Sequence[int]] = MappingProxyType({})
    """Blocks of the program that ended after so many uses."""


class Prompt(NamedTuple):
    """What one LLM call reads."""

    blocks: Sequence[int]
    left: Sequence[int] = ()  # all blocks of its program, where this was its last call


def recorded(folder: Path, seed: int, uses_max: int) -> Iterator[Stream]:
    """What the trace folders under `folder` hold, of each at most so many uses."""
    traces = folder / "traces"
    for path in sorted((traces / "mooncake").glob("*.jsonl*")):
        about = "recorded 512-token prefix blocks, in order of arrival"
        yield _stream(path.name.partition(".")[0], about, _mooncake(path), uses_max)
    path = traces / "claude_code_programs.jsonl.gz"
    if path.exists():
        about = (
            f"recorded programs, blocks of {CLAUDE_TOKENS} tokens; each program's own times, a "
            f"program begins every {CLAUDE_EVERY_S:g} s on average (assumed)"
        )
        yield _stream("claude-code", about, _claude(path, Random(seed), uses_max), uses_max)
    path = traces / "agent_programs.jsonl.gz"
    if path.exists():
        for source, tokens in AGENT_TOKENS.items():
            programs = [one for one in _lines(path) if str(one["source"]).startswith(source)]
            for order, turn in ORDERS.items():
                about = f"recorded shapes, blocks of {tokens} tokens, {AT_ONCE} at once, {order}"
                calls = _turns(programs, tokens, turn, Random(seed))
                yield _stream(f"{source}, {order}", about, calls, uses_max)


def synthetic(seed: int, uses_max: int) -> Iterator[Stream]:
    """What is there without any data: agents of a made-up kind."""
    chance = Random(seed)
    programs = [
        {"turns": [{"prompt_tokens": 128 * (20 + turn)} for turn in range(chance.randint(2, 30))]}
        for _ in range(200)
    ]
    for order, turn in ORDERS.items():
        about = (
            f"made up: agents of 2 to 30 turns over 20 pages and more, {AT_ONCE} at once, {order}"
        )
        calls = _turns(programs, 128, turn, Random(seed))
        yield _stream(f"synthetic agents, {order}", about, calls, uses_max)
    weights = [1 / (rank + 1) for rank in range(5_000)]
    uses = chance.choices(range(5_000), weights, k=min(uses_max, 100_000))
    yield Stream("synthetic popular blocks", "made up: 5,000 blocks, Zipf's law", uses)


def _stream(name: str, about: str, calls: Iterable[Prompt], uses_max: int) -> Stream:
    uses: list[int] = []
    ends: dict[int, Sequence[int]] = {}
    for call in calls:
        uses += call.blocks[: uses_max - len(uses)]
        if len(uses) == uses_max:
            break
        if call.left:
            ends[len(uses)] = call.left
    return Stream(name, about, uses, ends)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _mooncake(path: Path) -> Iterator[Prompt]:
    return (Prompt(record["hash_ids"]) for record in _lines(path))


class _Call(NamedTuple):
    """One LLM call, as sorted by time."""

    at: float
    number: int
    blocks: Sequence[int]
    left: range  # all blocks of its program, where this was its last call


def _claude(path: Path, chance: Random, uses_max: int) -> Iterator[Prompt]:
    """Programs whose requests name the request whose prefix they go on from."""
    calls: list[_Call] = []
    begins, fresh, uses = 0.0, 0, 0
    for program in _lines(path):
        begins += chance.expovariate(1 / CLAUDE_EVERY_S)
        prompts: dict[int, list[int]] = {}
        first, begun = fresh, len(calls)
        for at, request in sorted(_requests(program["turns"], begins), key=lambda one: one[1]["i"]):
            length = -(-request["p"] // CLAUDE_TOKENS)
            parent = prompts.get(request["par"], [])
            shared = parent[: min(request["sh"] // CLAUDE_TOKENS, length)]
            grown = length - len(shared)
            prompts[request["i"]] = [*shared, *range(fresh, fresh + grown)]
            fresh += grown
            uses += length
            calls.append(_Call(at, len(calls), prompts[request["i"]], range(0)))
        if len(calls) > begun:
            last = max(calls[begun:])
            calls[last.number] = last._replace(left=range(first, fresh))
        if uses > 2 * uses_max:  # The rest begins after the stream is cut.
            break
    return (Prompt(call.blocks, call.left) for call in sorted(calls))


def _requests(turns: Sequence[Any], begins: float) -> Iterator[tuple[float, Any]]:
    for turn in turns:
        if "sub" in turn:
            yield from _requests(turn["sub"], begins + turn["t"])
        else:
            yield begins + turn["t"], turn


def _turns(
    programs: Sequence[Any], tokens: int, turn: Callable[[Random, int, int], int], chance: Random
) -> Iterator[Prompt]:
    """Each call reads all of its program's blocks; a program that ends makes room for the next."""
    waiting = iter(programs)
    live = [_Program(one) for one in islice(waiting, AT_ONCE)]
    place, fresh = -1, 0
    while live:
        place = turn(chance, place, len(live))
        fresh = live[place].call(tokens, fresh)
        program = live[place]
        yield Prompt(tuple(program.blocks), () if program.left else program.ever)
        if not program.left:
            following = next(waiting, None)
            if following is not None:
                live[place] = _Program(following)
            else:
                del live[place]


class _Program:
    """Calls still to be made, and the blocks of the last one."""

    def __init__(self, program: Any) -> None:
        self.left: list[int] = [turn["prompt_tokens"] for turn in reversed(program["turns"])]
        self.blocks: list[int] = []
        self.ever: list[int] = []  # blocks of any call

    def call(self, tokens: int, fresh: int) -> int:
        """Have the blocks of the next call; the first number that is still free."""
        length = -(-self.left.pop() // tokens)
        del self.blocks[length:]
        grown = length - len(self.blocks)
        self.blocks += range(fresh, fresh + grown)
        self.ever += range(fresh, fresh + grown)
        return fresh + grown


ORDERS: dict[str, Callable[[Random, int, int], int]] = {
    "in turn": lambda chance, last, live: (last + 1) % live,
    "in any order": lambda chance, last, live: chance.randrange(live),
}
