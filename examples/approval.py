"""An agent asks before it deletes, and a person answers.

Here a person is played by the program. To answer yourself, in the same terminal:

    aios run examples/approval.py:tidy plan

or from a second one: start `aios serve`, let the agent run there (`AIOS_URL`), and then

    aios approvals              # what waits, and what a yes would do
    aios approvals yes 1
"""

import asyncio

from aios.errors import Denied
from aios.kernel import Kernel
from aios.sdk import Client


async def tidy(client: Client, name: str) -> str:
    """Deletes a memory block; nothing here says that a person is asked."""
    await client.memory.write(name, "Rome by train, 3 days")
    try:
        await client.memory.free(name)
    except Denied:
        return f"{name} stays: " + await client.memory.text(name)
    return f"{name} is gone"


async def person(client: Client, *, yes: bool) -> None:
    """Looks at what waits, and answers exactly that."""
    waiting = await client.approvals.list()
    while not waiting.approvals:
        await asyncio.sleep(0.1)
        waiting = await client.approvals.list()
    question = waiting.approvals[0]
    print(f"{question.agent} asks: {question.consequence}. {'Yes.' if yes else 'No.'}")
    await client.approvals.answer(question.id, question.digest, yes)


async def main(kernel: Kernel) -> None:
    first = Client(kernel, kernel.token)
    agent = first.of(await first.spawn("tidy"))
    for yes in (False, True):
        name = "plan" if yes else "diary"
        result, _ = await asyncio.gather(tidy(agent, name), person(first, yes=yes))
        print(result)


if __name__ == "__main__":
    from aios.access.policy import PERSONAL
    from aios.kernel.boot import boot

    async def start() -> None:
        async with boot(model="pocket", access=PERSONAL) as kernel:
            await main(kernel)

    asyncio.run(start())
