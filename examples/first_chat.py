"""A first chat: start a kernel, ask its model, read the answer."""

import asyncio

from aios.kernel import Kernel
from aios.sdk import Client


async def main(kernel: Kernel) -> None:
    client = Client(kernel, kernel.token)
    reply = await client.chat("Hello, who are you?", temperature=0.0, max_tokens=64)
    print(reply.text)
    print(f"{reply.usage.completion_tokens} tokens by {reply.model}")


if __name__ == "__main__":
    from aios.kernel.boot import boot

    async def start() -> None:
        async with boot(model="pocket") as kernel:
            await main(kernel)

    asyncio.run(start())
