"""Streaming: print the answer while it is made. The last item is the completion."""

import asyncio

from aios.kernel import Kernel
from aios.sdk import Client
from aios.syscalls import Completion


async def main(kernel: Kernel) -> None:
    client = Client(kernel, kernel.token)
    async for item in client.stream("Tell me what you can do.", temperature=0.0, max_tokens=64):
        if isinstance(item, Completion):
            print(f"\n{item.usage.completion_tokens} tokens, switched {item.timing.switches} times")
        else:
            print(item.text, end="", flush=True)


if __name__ == "__main__":
    from aios.kernel.boot import boot

    async def start() -> None:
        async with boot(model="pocket") as kernel:
            await main(kernel)

    asyncio.run(start())
