"""Two agents exchange messages: one asks, the other answers each question with the model."""

import asyncio

from aios.kernel import Kernel
from aios.sdk import Client

QUESTIONS = ("Who are you?", "What can you do?")


async def asker(client: Client, oracle: int) -> None:
    for question in QUESTIONS:
        await client.send(oracle, question)
        mail = await client.receive(timeout_s=60)
        print(f"{question} {mail.body}")
    await client.send(oracle, None)


async def oracle(client: Client) -> None:
    while (mail := await client.receive(timeout_s=60)).body is not None:
        reply = await client.chat(mail.body, temperature=0.0, max_tokens=64)
        await client.send(mail.sender, reply.text)


async def main(kernel: Kernel) -> None:
    client = Client(kernel, kernel.token)
    one, other = await client.spawn("asker"), await client.spawn("oracle")
    await asyncio.gather(asker(client.of(one), other.pid), oracle(client.of(other)))


if __name__ == "__main__":
    from aios.kernel.boot import boot

    async def start() -> None:
        async with boot(model="pocket") as kernel:
            await main(kernel)

    asyncio.run(start())
