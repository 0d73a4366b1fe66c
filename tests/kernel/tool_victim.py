"""A kernel in a process that is there to be killed while its tool runs."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aios.journal.journal import open_journal
from aios.kernel.environment import Environment
from aios.kernel.kernel import Kernel
from aios.kernel.tools.servers import ToolServers
from aios.scheduler import make
from aios.sdk import Client, tool
from aios.testing.homes import scripted
from aios.testing.script import INSTANT
from aios.tools.functions import Functions


@asynccontextmanager
async def kernel_over(folder: Path) -> AsyncIterator[Kernel]:
    """A kernel whose journal and whose tool's effects lie in a folder."""

    @tool
    async def leave_a_line() -> str:
        with (folder / "lines").open("a") as file:
            file.write("a line\n")
        sys.stdout.write("begun\n")
        sys.stdout.flush()
        await asyncio.Event().wait()
        return ""

    journal = await asyncio.to_thread(open_journal, folder / "journal", is_durable=True)
    kernel = Kernel(
        [scripted(INSTANT)],
        lambda: make("fifo"),
        environment=Environment(journal=journal),
        tools=ToolServers([Functions([leave_a_line])]),
    )
    try:
        async with kernel:
            yield kernel
    finally:
        await journal.close()


async def main(folder: Path) -> None:
    async with kernel_over(folder) as kernel:
        await Client(kernel, kernel.token).tools.call("local/leave_a_line", key="k")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
