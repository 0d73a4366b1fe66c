"""ReAct (Yao et al. 2022, arXiv 2210.03629): think, act, observe, until there is an answer.

The paper writes the three as lines of text and parses them. Here the model's tool calls are the
actions, the text beside them is the thought, and an answer without a call is the paper's `Finish`.
A tool that fails is an observation like any other: what to do about it is the model's to decide.
"""

from collections.abc import Sequence
from typing import Any

from aios.agents.outcome import Outcome, Step
from aios.errors import InvalidArgument
from aios.sdk import Agent, Client
from aios.sdk.agent import Turn
from aios.syscalls import Message

STEPS_MAX = 8
GUIDE = "Think step by step. Use one tool at a time. Finish with the answer."


class ReAct:
    """An agent that acts in at most `steps_max` steps, and tells all of them."""

    def __init__(self, agent: Agent, *, steps_max: int = STEPS_MAX) -> None:
        if steps_max < 1:
            raise InvalidArgument(f"expected steps_max of at least 1, got {steps_max}")
        self.agent = agent
        self.steps_max = steps_max

    @property
    def definition(self) -> str:
        """What it is, in words that change when it does."""
        return f"{self.steps_max} steps\n{self.agent.definition}"

    async def __call__(self, client: Client, task: Any, notes: Sequence[str] = ()) -> Outcome:
        """Succeeds with a whole answer; one cut off by `max_tokens` is none."""
        messages = self.agent.opening(task, (GUIDE, *notes))
        steps: list[Step] = []
        for _ in range(self.steps_max):
            turn = await self.agent.turn(client, messages)
            messages = (*messages, *turn.messages)
            if turn.is_last:
                whole = turn.choice.finish_reason == "stop"
                return _outcome(turn.text, whole, steps, messages)
            steps.append(_step(turn))
        return _outcome("", False, steps, messages)


def _outcome(
    answer: str, succeeded: bool, steps: Sequence[Step], messages: Sequence[Message]
) -> Outcome:
    return Outcome(answer=answer, succeeded=succeeded, steps=tuple(steps), messages=tuple(messages))


def _step(turn: Turn) -> Step:
    return Step(
        thought=turn.text,
        actions=turn.choice.message.tool_calls,
        observations=tuple(one.content or "" for one in turn.observations),
    )
