"""The world outside the kernel in a crash test: what tools did there, no crash undoes."""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path


class Outside:
    """Acts in order; with a file they outlive the process that did them."""

    def __init__(self, path: Path | None = None, acts: Iterable[str] = ()) -> None:
        self.acts = list(acts)
        self._path = path
        if path is not None and path.exists():
            self.acts += path.read_text().splitlines()

    def act(self, what: str) -> None:
        """Done, for good, when this returns."""
        if self._path is not None:
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                os.write(fd, f"{what}\n".encode())
            finally:
                os.close(fd)
        self.acts.append(what)

    def times(self) -> Counter[str]:
        """How often each was done."""
        return Counter(self.acts)
