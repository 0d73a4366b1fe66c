"""AG2 over responses, with a tool."""

import asyncio

from ag2 import Agent, tool
from ag2.config import OpenAIResponsesConfig


@tool
def calculator(expr: str) -> str:
    """Compute a product, such as 12 * 7."""
    left, right = expr.split("*")
    return str(int(left) * int(right))


async def answer() -> str:
    model = OpenAIResponsesConfig(model="gpt-4o-mini")
    clerk = Agent("clerk", prompt="You compute.", config=model, tools=[calculator])
    return str((await clerk.ask("What is 123 * 47?")).body)


def main() -> str:
    return asyncio.run(answer())


if __name__ == "__main__":
    print(main())
