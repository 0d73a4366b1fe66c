"""Runs inside a sandbox: carries connections from a port of its own loopback to the proxy's socket.

A program of its own: the standard library alone, quick to start, one thread and no child, so that
it fits into a sandbox's bounds. Knows no HTTP. Its other end is the fence, this is only the way.

    python -I -S forward.py SOCKET PORT
"""

import selectors
import socket
import sys
from contextlib import suppress

CONNECTIONS_MAX = 64
BUFFER_BYTES_MAX = 1 << 16


class Way:
    """One direction of one connection: what was read here and not yet written there."""

    def __init__(self, source: socket.socket, sink: socket.socket) -> None:
        self.source = source
        self.sink = sink
        self.waiting = bytearray()
        self.has_ended = False  # the source says no more
        self.is_over = False  # and the sink was told

    def read(self) -> None:
        data = self.source.recv(BUFFER_BYTES_MAX)
        self.waiting += data
        self.has_ended = not data

    def write(self) -> None:
        if self.waiting:
            del self.waiting[: self.sink.send(self.waiting)]
        if self.has_ended and not self.waiting and not self.is_over:
            self.is_over = True
            self.sink.shutdown(socket.SHUT_WR)


class Pair:
    """A connection from inside and its counterpart at the proxy."""

    def __init__(self, inner: socket.socket, outer: socket.socket) -> None:
        self.ends = (inner, outer)
        self.ways = (Way(inner, outer), Way(outer, inner))

    def events(self, end: socket.socket) -> int:
        """What is to be waited for at one end."""
        wanted = 0
        for way in self.ways:
            if way.source is end and not way.has_ended and not way.waiting:
                wanted |= selectors.EVENT_READ
            if way.sink is end and way.waiting:
                wanted |= selectors.EVENT_WRITE
        return wanted

    def move(self, end: socket.socket, happened: int) -> None:
        """Read and write what can be; raises `OSError` when an end is gone."""
        for way in self.ways:
            with suppress(BlockingIOError):
                if way.source is end and happened & selectors.EVENT_READ:
                    way.read()
                way.write()


class Forwarder:
    """All pairs of one listener."""

    def __init__(self, listener: socket.socket, path: str) -> None:
        self._listener = listener
        self._path = path
        self._waiter = selectors.DefaultSelector()
        self._pairs: dict[socket.socket, Pair] = {}  # by each of their ends
        listener.setblocking(False)
        self._waiter.register(listener, selectors.EVENT_READ)

    def step(self) -> None:
        """Wait until something can move, and move it."""
        for key, happened in self._waiter.select():
            end = key.fileobj
            assert isinstance(end, socket.socket)
            if end is self._listener:
                with suppress(OSError):
                    self._accept()
            elif end in self._pairs:  # its counterpart may have ended both just now
                self._move(self._pairs[end], end, happened)

    def close(self) -> None:
        """Cut what is left; the listener is its maker's."""
        for end in list(self._pairs):
            self._forget(end)
        self._waiter.close()

    def _accept(self) -> None:
        inner, _ = self._listener.accept()
        outer = socket.socket(socket.AF_UNIX)
        try:
            if len(self._pairs) >= 2 * CONNECTIONS_MAX:
                raise ConnectionRefusedError("full")
            outer.connect(self._path)
        except OSError:
            inner.close()
            outer.close()
            raise
        pair = Pair(inner, outer)
        for end in pair.ends:
            end.setblocking(False)
            self._pairs[end] = pair
            self._wait_for(pair, end)

    def _move(self, pair: Pair, end: socket.socket, happened: int) -> None:
        try:
            pair.move(end, happened)
            is_over = all(way.is_over for way in pair.ways)
        except OSError:
            is_over = True
        for one in pair.ends:
            if is_over:
                self._forget(one)
            else:
                self._wait_for(pair, one)

    def _wait_for(self, pair: Pair, end: socket.socket) -> None:
        events, is_known = pair.events(end), end in self._waiter.get_map()
        if is_known and events:
            self._waiter.modify(end, events)
        elif events:
            self._waiter.register(end, events)
        elif is_known:
            self._waiter.unregister(end)

    def _forget(self, end: socket.socket) -> None:
        if end in self._waiter.get_map():
            self._waiter.unregister(end)
        del self._pairs[end]
        end.close()


def main(path: str, port: str) -> None:
    with socket.create_server(("127.0.0.1", int(port)), backlog=CONNECTIONS_MAX) as listener:
        forwarder = Forwarder(listener, path)
        while True:
            forwarder.step()


if __name__ == "__main__":
    main(*sys.argv[1:])
