"""A journal without threads and files: the same statements, applied at once, in memory.

What was posted is there when `post` returns, so a simulation with it is deterministic. It stands
for the disk: a test that kills a kernel gives the same journal to the next one.
"""

from collections.abc import Awaitable, Generator, Sequence
from hashlib import sha256

from aios.errors import AiosError, NotFound
from aios.journal.base import Change, Keep, Row, Statement, Value
from aios.journal.database import Database, Outcome


class MemoryBlobs:
    """Blobs in a dictionary."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}
        self._failing: list[AiosError] = []
        self._spared: set[str] = set()  # put since the last sweep began
        self.put_bytes = 0  # as often as they were put

    def fail_next(self, error: AiosError) -> None:
        """The next `put` raises this and keeps nothing."""
        self._failing.append(error)

    async def put(self, data: bytes) -> str:
        if self._failing:
            raise self._failing.pop(0)
        name = sha256(data).hexdigest()
        self._kept[name] = bytes(data)
        self._spared.add(name)
        self.put_bytes += len(data)
        return name

    async def get(self, sha256: str) -> bytes:
        if sha256 not in self._kept:
            raise NotFound(f"no blob {sha256!r}")
        return self._kept[sha256]

    async def sweep(self, keep: Keep) -> int:
        self._spared.clear()
        kept = set(await keep())
        unwanted = self._kept.keys() - kept - self._spared
        for name in unwanted:
            del self._kept[name]
        return len(unwanted)


class InlineJournal:
    """A whole `Journal` in the caller's thread."""

    def __init__(self) -> None:
        self.blobs = MemoryBlobs()
        self._database = Database(None)
        self._failing: list[AiosError] = []

    @property
    def commits(self) -> int:
        """Posts that were applied."""
        return self._database.commits

    def fail_next(self, error: AiosError) -> None:
        """The next post is not applied; its await raises this."""
        self._failing.append(error)

    def post(self, changes: Sequence[Change]) -> Awaitable[None]:
        if self._failing:
            return _Done(self._failing.pop(0))
        return _Done(self._database.apply([changes])[0])

    async def read(self, statement: Statement, *values: Value) -> list[Row]:
        return self._database.read(statement, values)

    def close(self) -> None:
        """Forget everything; a test need not."""
        self._database.close()


class _Done:
    """An awaitable that has ended; nobody need await it."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def __await__(self) -> Generator[None, None, None]:
        if self._outcome is not None:
            raise self._outcome
        return
        yield
