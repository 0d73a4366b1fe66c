"""OpenAI's Agents SDK over responses, streamed."""

import asyncio

from agents import Agent, Runner, function_tool


@function_tool
def calculator(expr: str) -> int:
    """Compute a product, such as 12 * 7."""
    left, right = expr.split("*")
    return int(left) * int(right)


async def answer() -> str:
    clerk = Agent(name="clerk", model="gpt-4o-mini", tools=[calculator])
    running = Runner.run_streamed(clerk, "What is 123 * 47?")
    async for _ in running.stream_events():
        pass
    return str(running.final_output)


def main() -> str:
    return asyncio.run(answer())


if __name__ == "__main__":
    print(main())
