"""Waiting inside the kernel: for a named thing, on behalf of a process, with a limit.

Every blocking syscall but a generation blocks here and nowhere else, so that ending a process can
end all its waits. Knows no process and no syscall.
"""

import asyncio
from collections.abc import Hashable

from aios.errors import AiosError, DeadlineExceeded


class Waits:
    """Futures by what they wait for and by whom. Bounded by the gate's bound on live calls."""

    def __init__(self) -> None:
        self._by_key: dict[Hashable, dict[asyncio.Future[None], int]] = {}  # oldest first
        self._by_owner: dict[int, dict[asyncio.Future[None], Hashable]] = {}  # the same, inverted

    async def wait(self, key: Hashable, owner: int, timeout_s: float | None) -> None:
        """Wait until `key` is woken. Raises `DeadlineExceeded`, or what `fail` says."""
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

    def fail(self, owner: int, error: AiosError) -> None:
        """End every wait of one process with an error."""
        for future in list(self._by_owner.get(owner, ())):
            if not future.done():
                future.set_exception(error)

    def of(self, owner: int) -> list[Hashable]:
        """What a process waits for."""
        return list(self._by_owner.get(owner, {}).values())

    def __len__(self) -> int:
        return sum(map(len, self._by_owner.values()))

    def _forget(self, key: Hashable, owner: int, future: asyncio.Future[None]) -> None:
        del self._by_key[key][future]
        if not self._by_key[key]:
            del self._by_key[key]
        del self._by_owner[owner][future]
        if not self._by_owner[owner]:
            del self._by_owner[owner]
