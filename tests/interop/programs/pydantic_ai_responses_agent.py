"""Pydantic AI over OpenAI's responses: a typed answer, streamed as it is written."""

import asyncio

from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput


class Product(BaseModel):
    value: int


agent = Agent("openai-responses:gpt-4o", output_type=NativeOutput(Product))


@agent.tool_plain
def calculator(expr: str) -> int:
    """Compute a product, such as 12 * 7."""
    left, right = expr.split("*")
    return int(left) * int(right)


async def answer() -> str:
    async with agent.run_stream("What is 123 * 47?") as result:
        return str((await result.get_output()).value)


def main() -> str:
    return asyncio.run(answer())


if __name__ == "__main__":
    print(main())
