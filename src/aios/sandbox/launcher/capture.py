"""What a sandbox writes, up to a bound; beyond it everything is read and thrown away."""

import os

READ_BYTES = 1 << 16
READS_MAX = 2  # at one go, so that a flood leaves time for the others


class Capture:
    """One pipe's reading end."""

    def __init__(self, fd: int, bytes_max: int) -> None:
        os.set_blocking(fd, False)
        self.fd = fd
        self.is_open = True
        self.is_cut = False
        self._kept = bytearray()
        self._bytes_max = bytes_max

    def bound(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max

    def read(self, reads: int = READS_MAX) -> None:
        """Take what is there; the pipe's end closes it."""
        for _ in range(reads):
            if not self.is_open:
                return
            try:
                data = os.read(self.fd, READ_BYTES)
            except BlockingIOError:
                return
            if not data:
                self.close()
            room = self._bytes_max - len(self._kept)
            self._kept += data[:room]
            self.is_cut = self.is_cut or len(data) > room

    def drain(self) -> None:
        """All that is left, when nobody writes any more: at most what a pipe holds."""
        self.read(1 << 12)

    def take(self) -> bytes:
        """What was kept since the last time."""
        kept = bytes(self._kept)
        self._kept.clear()
        return kept

    def take_cut(self) -> bool:
        """Whether something was thrown away since the last time."""
        is_cut, self.is_cut = self.is_cut, False
        return is_cut

    def close(self) -> None:
        if self.is_open:
            self.is_open = False
            os.close(self.fd)


class Feed:
    """A pipe's writing end, with what is still to go in; closed when all is."""

    def __init__(self, fd: int) -> None:
        os.set_blocking(fd, False)
        self.fd = fd
        self.is_open = True
        self._left = memoryview(b"")

    @property
    def has_more(self) -> bool:
        return self.is_open and bool(self._left)

    def begin(self, data: bytes) -> None:
        self._left = memoryview(data)
        self.write()

    def write(self) -> None:
        """As much as goes in now."""
        try:
            while self.is_open and self._left:
                self._left = self._left[os.write(self.fd, self._left) :]
        except BlockingIOError:
            return
        except BrokenPipeError:  # Nobody reads it; that is the program's affair.
            pass
        self.close()

    def close(self) -> None:
        if self.is_open:
            self.is_open = False
            os.close(self.fd)
