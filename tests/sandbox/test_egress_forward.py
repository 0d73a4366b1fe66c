"""The forwarder carries bytes from a port inside to the proxy's socket outside, and is bounded."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from aios.sandbox.forward import CONNECTIONS_MAX, Forwarder


@pytest.fixture
def outer(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "proxy"))
        listener.listen(CONNECTIONS_MAX)
        listener.settimeout(5)
        yield listener


@pytest.fixture
def port(tmp_path: Path, outer: socket.socket) -> Iterator[int]:
    """Of a forwarder that runs in a thread until the test is over."""
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0), backlog=CONNECTIONS_MAX)
    forwarder = Forwarder(listener, str(tmp_path / "proxy"))
    number = listener.getsockname()[1]

    def run() -> None:
        while not over.is_set():
            forwarder.step()

    thread = threading.Thread(target=run)
    thread.start()
    yield number
    over.set()
    with suppress(OSError), socket.create_connection(("127.0.0.1", number)):
        pass
    thread.join(5)
    listener.close()
    forwarder.close()


def _all(source: socket.socket) -> bytes:
    return b"".join(iter(lambda: source.recv(1 << 16), b""))


def test_bytes_go_both_ways_and_each_end_hears_the_others_end(
    port: int, outer: socket.socket
) -> None:
    sent = bytes(range(256)) * 8_000

    def answer() -> None:
        there, _ = outer.accept()
        with there:
            there.sendall(_all(there)[::-1])

    far = threading.Thread(target=answer)
    far.start()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as near:
        near.sendall(sent)
        near.shutdown(socket.SHUT_WR)
        assert _all(near) == sent[::-1]
    far.join()


def test_one_that_does_not_read_holds_up_nobody_else(port: int, outer: socket.socket) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as stuck:
        first, _ = outer.accept()
        first.settimeout(0.2)
        with suppress(TimeoutError):
            first.sendall(b"x" * (64 << 20))
        with socket.create_connection(("127.0.0.1", port), timeout=10) as near:
            second, _ = outer.accept()
            near.sendall(b"hello")
            assert second.recv(5) == b"hello"
            second.close()
        first.close()
        stuck.close()


def test_no_more_connections_than_its_bound_and_a_place_is_free_again(
    port: int, outer: socket.socket
) -> None:
    held = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(64)]
    there = [outer.accept()[0] for _ in held]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as refused:
        assert refused.recv(1) == b""
    held[0].close()
    assert there[0].recv(1) == b""
    there[0].close()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as near:
        far, _ = outer.accept()
        near.sendall(b"x")
        assert far.recv(1) == b"x"
        far.close()
    for one in (*held, *there):
        one.close()


def test_a_proxy_that_is_not_there_closes_the_connection_and_not_the_forwarder(
    port: int, outer: socket.socket, tmp_path: Path
) -> None:
    (tmp_path / "proxy").rename(tmp_path / "gone")
    with socket.create_connection(("127.0.0.1", port), timeout=10) as near:
        assert near.recv(1) == b""
    (tmp_path / "gone").rename(tmp_path / "proxy")
    with socket.create_connection(("127.0.0.1", port), timeout=10) as near:
        there, _ = outer.accept()
        there.close()
        assert near.recv(1) == b""
