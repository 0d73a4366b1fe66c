"""ReAct, as it comes with AIOS, on a kernel elsewhere."""

import asyncio
import os

from aios.agents import ReAct
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


async def answer() -> str:
    clerk = ReAct(Agent("react", tools=[calculator], temperature=0.0, max_tokens=256))
    async with HttpTransport(os.environ["AIOS_URL"]) as transport:
        outcome = await clerk(Client(transport, os.environ["AIOS_TOKEN"]), "What is 123 * 47?")
    return outcome.answer


def main() -> str:
    return asyncio.run(answer())


if __name__ == "__main__":
    print(main())
