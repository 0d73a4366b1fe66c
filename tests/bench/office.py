"""An office small enough for tests, and a model that knows every right answer."""

import json
from collections.abc import Sequence
from pathlib import Path

from aios.bench.site import Site
from aios.bench.workload import Member, Size, office
from aios.models.pocket import Task
from aios.models.pocket.plan import Call
from aios.syscalls import Generate, Message, ToolCall

SMALL = Size(agents=8, flights=2, flight_errands=2, short_errands=2, short_turns=2)


def small_office(seed: int = 1) -> tuple[Member, ...]:
    return office(seed, SMALL)


def site(members: tuple[Member, ...], *, kv_tokens: int = 2_048, lanes: int = 4) -> Site:
    return Site(office=members, model=Path(), kv_tokens=kv_tokens, kv_token_bytes=1, lanes=lanes)


class Knowing:
    """Answers as the perfect assistant would, from the tasks' own plans."""

    def __init__(self, members: Sequence[Member]) -> None:
        self._tasks = [task for member in members for task in member.errands]

    def __call__(self, call: Generate) -> Message:
        said = [message for message in call.messages if message.role != "system"]
        asked = [message.content for message in said if message.role == "user"]
        task = next(task for task in self._tasks if _users(task)[: len(asked)] == asked)
        turn = task.turns[len(asked) - 1]
        last = max(index for index, message in enumerate(said) if message.role == "user")
        done = sum(message.role == "tool" for message in said[last:])
        if done < len(turn.calls):
            return _calling(turn.calls[done])
        return Message(role="assistant", content=turn.answer)


def _users(task: Task) -> list[str | None]:
    return [turn.user for turn in task.turns]


def _calling(call: Call) -> Message:
    arguments = json.dumps(dict(call.arguments))
    wish = ToolCall(id="call-1", name=call.tool, arguments=arguments)
    return Message(role="assistant", tool_calls=(wish,))
