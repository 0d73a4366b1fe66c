"""Pause an agent in the middle of a sentence, and let it go on exactly where it stopped."""

import asyncio

from aios.kernel import Kernel
from aios.sdk import Client
from aios.syscalls import Completion


async def main(kernel: Kernel) -> None:
    client = Client(kernel, kernel.token)
    child = await client.spawn("speaker")
    words = client.of(child).stream("Tell me what you can do.", temperature=0.0, max_tokens=64)

    first = await anext(words)
    await client.pause(child.pid)
    print((await client.inspect(child.pid)).state)
    await client.resume(child.pid)
    print((await client.inspect(child.pid)).state)

    rest = [item async for item in words]
    text = "".join("" if isinstance(item, Completion) else item.text for item in (first, *rest))
    print(text)


if __name__ == "__main__":
    from aios.kernel.boot import boot

    async def start() -> None:
        async with boot(model="pocket") as kernel:
            await main(kernel)

    asyncio.run(start())
