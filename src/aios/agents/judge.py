"""A model as evaluator: whether an answer solves a task, by a schema that leaves no other reply."""

from typing import Any, Unpack

import msgspec

from aios.agents.outcome import Outcome
from aios.agents.reflexion import Verdict
from aios.errors import CoreFailed
from aios.sdk import Agent, Client, Options

INSTRUCTIONS = (
    "You judge whether an answer solves a task. Pass it only if it is right and complete; "
    "otherwise say in the feedback what is wrong."
)
SCHEMA = {
    "type": "object",
    "properties": {"feedback": {"type": "string"}, "passed": {"type": "boolean"}},
    "required": ["feedback", "passed"],
    "additionalProperties": False,
}  # Feedback first: the model gives its reasons before it decides.


class Judge:
    """An evaluator for tasks that no program can check. Deterministic unless told otherwise."""

    def __init__(self, **options: Unpack[Options]) -> None:
        defaults: Options = {"temperature": 0.0, "schema": SCHEMA}
        self._agent = Agent("judge", instructions=INSTRUCTIONS, **(defaults | options))

    async def __call__(self, client: Client, task: Any, trial: Outcome) -> Verdict:
        """A trial without an answer has failed without anybody being asked."""
        if not trial.succeeded:
            return Verdict(passed=False, feedback="There was no final answer.")
        said = await self._agent(client, {"task": task, "answer": trial.answer})
        try:
            return msgspec.json.decode(said, type=Verdict)
        except msgspec.DecodeError as problem:
            raise CoreFailed(f"expected a verdict of the judge's schema: {problem}") from None
