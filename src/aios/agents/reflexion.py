"""Reflexion (Shinn et al. 2023, arXiv 2303.11366): try, be judged, reflect in words, try again.

An actor makes a trial, an evaluator judges it, and after a failure the actor's model says what went
wrong and what to do instead. The last few of these reflections are the episodic memory that
stands before the task in the next trial. Nothing is learnt but text.
"""

from collections import deque
from typing import Any, Protocol

import msgspec

from aios.agents.outcome import Outcome
from aios.agents.react import ReAct
from aios.errors import InvalidArgument
from aios.sdk import Client
from aios.syscalls import Message

TRIALS_MAX = 3
REFLECTIONS_MAX = 3  # The paper keeps one to three: an old lesson is worth less than its room.

REFLECT = (
    "This trial failed. {feedback}\nIn a few sentences, say what most likely went wrong and give "
    "a short, concrete plan for the next trial. Do not call a tool and do not solve the task now."
)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluator's judgement; `feedback` tells the actor what it can use."""

    passed: bool
    feedback: str = ""


class Evaluator(Protocol):
    """Judges a trial: by a test, by a rule, or by asking a model through `client`."""

    async def __call__(self, client: Client, task: Any, trial: Outcome, /) -> Verdict: ...


class Reflexion:
    """At most `trials_max` trials by `actor`, with memory of the last `reflections_max` lessons."""

    def __init__(
        self,
        actor: ReAct,
        evaluator: Evaluator,
        *,
        trials_max: int = TRIALS_MAX,
        reflections_max: int = REFLECTIONS_MAX,
    ) -> None:
        if trials_max < 1 or reflections_max < 1:
            raise InvalidArgument("expected trials_max and reflections_max of at least 1")
        self.actor = actor
        self.evaluator = evaluator
        self.trials_max = trials_max
        self.reflections_max = reflections_max

    @property
    def definition(self) -> str:
        """What it is, in words that change when it does."""
        bounds = f"{self.trials_max} trials, {self.reflections_max} reflections"
        return "\n".join([bounds, self.actor.definition])

    async def __call__(self, client: Client, task: Any) -> Outcome:
        """Succeeds with the first trial that passes; else it ends as the last trial did."""
        reflections: list[str] = []
        memory: deque[str] = deque(maxlen=self.reflections_max)
        while True:
            trial = await self.actor(client, task, memory)
            verdict = await self.evaluator(client, task, trial)
            trials = len(reflections) + 1
            if verdict.passed or trials == self.trials_max:
                break
            reflections.append(await self.reflect(client, trial, verdict))
            memory.append(f"Reflection: {reflections[-1]}")
        return msgspec.structs.replace(
            trial, succeeded=verdict.passed, trials=trials, reflections=tuple(reflections)
        )

    async def reflect(self, client: Client, trial: Outcome, verdict: Verdict) -> str:
        """The lesson of a failed trial.

        It is asked for at the end of the trial's own conversation, with the same tools listed, so
        that a core which still holds that conversation has only the question to read.
        """
        agent = self.actor.agent
        question = Message("user", REFLECT.format(feedback=verdict.feedback))
        options = agent.options | {"tool_choice": "none", "schema": None}
        reply = await client.chat(
            (*trial.messages, question), await agent.toolbox.specs(client), **options
        )
        return reply.text.strip()
