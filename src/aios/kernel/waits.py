"""Waiting inside the kernel: for a named thing, on behalf of a process, with a limit.

Every blocking syscall but a generation blocks here and nowhere else, so that ending a process can
end all its waits. Knows no process and no syscall.
"""

import asyncio
from collections.abc import Awaitable, Hashable, Iterable
from typing import TypeVar

from aios.errors import AiosError, DeadlineExceeded

T = TypeVar("T")


class Waits:
    """Futures by what they wait for and by whom. Bounded by the gate's bound on live calls."""

    def __init__(self) -> None:
        self._by_key: dict[Hashable, dict[asyncio.Future[None], int]] = {}  # oldest first
        self._by_owner: dict[int, dict[asyncio.Future[None], Hashable]] = {}  # the same, inverted
        self._closed: AiosError | None = None

    async def wait(self, key: Hashable, owner: int, timeout_s: float | None) -> None:
        """Wait until `key` is woken. Raises `DeadlineExceeded`, or what `fail` says."""
        if self._closed is not None:
            raise self._closed
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._by_key.setdefault(key, {})[future] = owner
        self._by_owner.setdefault(owner, {})[future] = key
        try:
            async with asyncio.timeout(timeout_s):
                await future
        except TimeoutError:
            raise DeadlineExceeded(f"nothing came within {timeout_s} s") from None
        finally:
            self._forget(key, owner, future)

    def wake(self, key: Hashable, *, all_of_them: bool = True) -> None:
        """Wake those who wait for `key`, or only the one who waits longest."""
        for future in list(self._by_key.get(key, ())):
            if not future.done():
                future.set_result(None)
                if not all_of_them:
                    return

    async def while_waiting(
        self, work: Awaitable[T], key: Hashable, owner: int, timeout_s: float | None
    ) -> T:
        """The result of `work`, unless the wait for it is ended first; then it is cancelled."""
        task = asyncio.ensure_future(work)
        task.add_done_callback(lambda _: self.wake(key))
        try:
            if not task.done():
                await self.wait(key, owner, timeout_s)
            return task.result()
        finally:
            task.cancel()

    def fail(self, owner: int, error: AiosError) -> None:
        """End every wait of one process with an error."""
        _fail(self._by_owner.get(owner, ()), error)

    def fail_key(self, key: Hashable, error: AiosError) -> None:
        """End every wait for one thing with an error."""
        _fail(self._by_key.get(key, ()), error)

    def close(self, error: AiosError) -> None:
        """End every wait there is with an error, and whatever would wait from now on.

        Who was woken just before may not have what it waited for, and would wait again.
        """
        self._closed = error
        for owner in list(self._by_owner):
            self.fail(owner, error)

    def of(self, owner: int) -> list[Hashable]:
        """What a process waits for."""
        waiting = self._by_owner.get(owner, {})
        return [key for future, key in waiting.items() if not future.done()]

    def waiting(self, key: Hashable) -> int:
        """How many wait for a thing."""
        return sum(not future.done() for future in self._by_key.get(key, ()))

    def __len__(self) -> int:
        return sum(map(len, self._by_owner.values()))

    def _forget(self, key: Hashable, owner: int, future: asyncio.Future[None]) -> None:
        del self._by_key[key][future]
        if not self._by_key[key]:
            del self._by_key[key]
        del self._by_owner[owner][future]
        if not self._by_owner[owner]:
            del self._by_owner[owner]


def _fail(futures: Iterable[asyncio.Future[None]], error: AiosError) -> None:
    for future in list(futures):
        if not future.done():
            future.set_exception(error)
