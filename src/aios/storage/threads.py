"""Where disk work is done: beside the event loop, a few at a time. Knows no disk."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

T = TypeVar("T")
THREADS = 4


class Beside(Protocol):
    """Does blocking work without stopping the loop."""

    async def do(self, work: Callable[[], T]) -> T: ...

    def close(self) -> None: ...


class Threads:
    """A few threads. What waits for them is bounded by the calls that the kernel lets in."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="aios-files")

    async def do(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        self._pool.shutdown(wait=True)
