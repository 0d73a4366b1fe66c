"""Reflexion, as it comes with AIOS: an answer counts when two trials agree on it."""

import asyncio
import os
from typing import Any

from aios.agents import Outcome, ReAct, Reflexion, Verdict
from aios.sdk import Agent, Client, tool
from aios.sdk.http import HttpTransport


@tool(inline=True)
def calculator(expr: str) -> int:
    """Compute a product.

    Args:
        expr: such as 12 * 7
    """
    left, right = expr.split("*")
    return int(left) * int(right)


class Twice:
    """Passes what was answered before."""

    def __init__(self) -> None:
        self._before: set[str] = set()

    async def __call__(self, client: Client, task: Any, trial: Outcome, /) -> Verdict:
        if trial.answer in self._before:
            return Verdict(passed=True)
        self._before.add(trial.answer)
        return Verdict(passed=False, feedback="Nobody has checked it: work it out once more.")


async def answer() -> str:
    actor = ReAct(Agent("reflexion", tools=[calculator], temperature=0.0, max_tokens=256))
    async with HttpTransport(os.environ["AIOS_URL"]) as transport:
        client = Client(transport, os.environ["AIOS_TOKEN"])
        outcome = await Reflexion(actor, Twice())(client, "What is 123 * 47?")
    return outcome.answer


def main() -> str:
    return asyncio.run(answer())


if __name__ == "__main__":
    print(main())
