"""What clients of a crash test were told, written down the moment after they were told it.

It lies outside of the kernel's home. With a file it outlives a `kill -9` of its own process. Knows
no syscall.
"""

import os
from pathlib import Path
from typing import NamedTuple

import msgspec

BIRTH = -1  # the number of a client's own spawn


class Entry(NamedTuple):
    """A step that is over. Not known: it had no key, and nobody heard what became of it."""

    client: int
    number: int
    fact: str | int
    is_known: bool = True


class Ledger:
    """Entries by client and number."""

    def __init__(self, path: Path | None = None) -> None:
        self._fd: int | None = None
        self.entries: list[Entry] = []
        self._of: dict[int, dict[int, Entry]] = {}
        if path is not None:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            for line in path.read_bytes().splitlines():
                self._keep(msgspec.json.decode(line, type=Entry))

    @classmethod
    def of(cls, entries: list[Entry]) -> "Ledger":
        """A ledger in RAM that begins with those."""
        ledger = cls()
        for entry in entries:
            ledger._keep(entry)
        return ledger

    def note(self, entry: Entry) -> None:
        """Write it down; it is out of this process when this returns."""
        if self._fd is not None:
            os.write(self._fd, msgspec.json.encode(entry) + b"\n")
        self._keep(entry)

    def known(self, client: int) -> dict[int, Entry]:
        """All of a client's entries by number, in order."""
        return self._of.get(client, {})

    def next_of(self, client: int) -> int:
        """The first step that is not over. A client makes one after the other."""
        return len(self.known(client)) - (BIRTH in self.known(client))

    def close(self) -> None:
        """No-op without a file."""
        if self._fd is not None:
            os.close(self._fd)

    def _keep(self, entry: Entry) -> None:
        self.entries.append(entry)
        self._of.setdefault(entry.client, {})[entry.number] = entry
