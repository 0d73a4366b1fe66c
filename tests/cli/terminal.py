"""`aios` in a terminal of its own, for tests of what only a person sees."""

import os
import pty
import select
import struct
import subprocess
import sys
import termios
from fcntl import ioctl
from types import TracebackType
from typing import Self

import pytest

PATIENCE_S = 30.0


class Terminal:
    """Use as `with`: 30 lines of 140 characters. What is left running at its end is killed."""

    def __init__(self, *words: str) -> None:
        self._ours, theirs = pty.openpty()
        ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 140, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "aios", *words],
            stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True,
            env={**os.environ, "TERM": "xterm-256color"},
        )  # fmt: skip
        os.close(theirs)
        self._seen = b""

    def read_until(self, word: bytes) -> bytes:
        """What was written up to a word and with it; the rest is kept for the next one."""
        while word not in self._seen:
            ready, _, _ = select.select([self._ours], [], [], PATIENCE_S)
            assert ready, self._seen.decode(errors="replace")
            self._seen += os.read(self._ours, 1 << 16)
        end = self._seen.index(word) + len(word)
        told, self._seen = self._seen[:end], self._seen[end:]
        return told

    def press(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def ended(self) -> int:
        """The exit code, once the program has closed its end."""
        while select.select([self._ours], [], [], PATIENCE_S)[0]:
            try:
                if not os.read(self._ours, 1 << 16):
                    return self.process.wait(PATIENCE_S)
            except OSError:
                return self.process.wait(PATIENCE_S)
        pytest.fail("the program did not end")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)
