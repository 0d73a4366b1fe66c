"""Many agents, one model: each is a process of its own, and the kernel decides who runs next."""

import asyncio

from aios.kernel import Kernel
from aios.sdk import Agent, Client, tool

AGENTS = 20


@tool(inline=True)
def calculator(expr: str) -> int:
    """Compute the sum of two numbers, such as 3 + 4."""
    left, right = expr.split("+")
    return int(left) + int(right)


async def run_one(parent: Client, number: int) -> str:
    child = await parent.spawn(f"adder {number}")
    adder = Agent("adder", tools=[calculator], temperature=0.0, max_tokens=64)
    client = parent.of(child)
    answer = await adder(client, f"What is {number} + {number}?")
    await client.exit(answer)
    return answer


async def main(kernel: Kernel) -> None:
    client = Client(kernel, kernel.token)
    answers = await asyncio.gather(*(run_one(client, number) for number in range(1, AGENTS + 1)))
    for number, answer in enumerate(answers, start=1):
        print(f"agent {number}: {answer}")


if __name__ == "__main__":
    from aios.kernel.boot import boot

    async def start() -> None:
        async with boot(model="pocket") as kernel:
            await main(kernel)

    asyncio.run(start())
