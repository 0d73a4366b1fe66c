"""An agent with two tools: plain functions, which the model reads and calls by their signatures."""

import asyncio
import re

from aios.kernel import Kernel
from aios.sdk import Agent, Client, tool

notes: dict[str, str] = {}


@tool(inline=True)
def calculator(expr: str) -> float:
    """Compute an arithmetic expression of two numbers.

    Args:
        expr: such as 12 * 7
    """
    parts = re.fullmatch(r"\s*(-?[\d.]+)\s*([-+*/])\s*(-?[\d.]+)\s*", expr)
    if parts is None:
        raise ValueError("expected two numbers with + - * or / between them")
    left, right = float(parts[1]), float(parts[3])
    by_sign = {"+": left + right, "-": left - right, "*": left * right}
    value = by_sign[parts[2]] if parts[2] in by_sign else left / right
    return int(value) if value.is_integer() else value


@tool(inline=True)
def note_write(name: str, text: str) -> str:
    """Write a note, replacing it."""
    notes[name] = text
    return "ok"


async def main(kernel: Kernel) -> None:
    clerk = Agent("clerk", tools=[calculator, note_write], temperature=0.0, max_tokens=128)
    client = Client(kernel, kernel.token)
    print(await clerk(client, "Compute 12 * 7 and write the result to the note answer."))
    print("notes:", notes)


if __name__ == "__main__":
    from aios.kernel.boot import boot

    async def start() -> None:
        async with boot(model="pocket") as kernel:
            await main(kernel)

    asyncio.run(start())
