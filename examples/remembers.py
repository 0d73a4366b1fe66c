"""An agent that remembers across runs: run this twice. The second run answers what the first heard.

What it remembers are blocks of the agent "butler" in the kernel's home, a folder beside this file.
Look into it with: aios memory blocks butler --home examples/remembers.home
"""

import asyncio
from pathlib import Path

from aios.errors import NotFound
from aios.kernel import Kernel
from aios.sdk import Agent, Client, tool

HOME = Path(__file__).with_suffix(".home")


async def main(kernel: Kernel) -> None:
    first = Client(kernel, kernel.token)
    me = first.of(await first.spawn("butler"))  # The same name is the same agent in every run.

    @tool
    async def memory_set(key: str, value: str) -> str:
        """Remember a value under a key."""
        await me.memory.write(key, value)
        return "ok"

    @tool
    async def memory_get(key: str) -> str:
        """Recall the value of a key, or null."""
        try:
            return await me.memory.text(key)
        except NotFound:
            return "null"

    butler = Agent("butler", tools=[memory_set, memory_get], temperature=0.0, max_tokens=128)
    is_first_run = not (await me.memory.list()).blocks
    task = "Remember that my gate is B12." if is_first_run else "What is my gate?"
    print(f"you:    {task}")
    print(f"butler: {await butler(me, task)}")
    if is_first_run:
        print("Now run this again.")


if __name__ == "__main__":
    from aios.kernel.boot import boot

    async def start() -> None:
        async with boot(model="pocket", state=HOME) as kernel:
            await main(kernel)

    asyncio.run(start())
