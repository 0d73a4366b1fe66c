"""The engine process from outside: a socket, frames, and signals. No kernel here."""

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from aios.context.tiers import TierStore
from aios.cores.base import Advanced, Failed, Finished, Generation, Progress
from aios.cores.child import build
from aios.cores.frames import (
    Answer,
    AskFailed,
    EngineSpec,
    Events,
    Hello,
    Order,
    Ping,
    Pong,
    Prepare,
    Prepared,
    Refused,
    Shutdown,
    Splitter,
    Start,
    answer_in,
    frame,
)
from aios.errors import InvalidArgument
from aios.syscalls.llm import Decoding, Tokenize
from tests.scripted_engine import spec_of, token_at

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}


class Peer:
    """The kernel's end of the pipe, in the plainest way."""

    def __init__(self, connection: socket.socket, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self.connection = connection
        self._splitter = Splitter()
        self._answers: list[Answer] = []
        connection.settimeout(60)

    def send(self, *orders: Order) -> None:
        self.connection.sendall(b"".join(map(frame, orders)))

    def receive(self) -> Answer:
        while not self._answers:
            data = self.connection.recv(1 << 16)
            assert data, "the child closed its end"
            self._answers += map(answer_in, self._splitter.feed(data))
        return self._answers.pop(0)


@contextmanager
def child_of(spec: EngineSpec) -> Iterator[Peer]:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            told = msgspec.json.encode(spec).decode()
            process = subprocess.Popen(
                [sys.executable, "-m", "aios.cores.child", str(theirs.fileno()), told],
                pass_fds=(theirs.fileno(),),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=ENVIRONMENT,
                cwd=ROOT,
            )
        try:
            yield Peer(ours, process)
        finally:
            process.kill()
            process.wait(60)


def generation_of(prompt: str, tokens: int | None, name: str = "g") -> Generation:
    return Generation(
        id=name, prompt=tuple(prompt.encode()), decoding=Decoding(seed=1, max_tokens=tokens)
    )


def test_a_child_greets_works_and_leaves_when_asked(tmp_path: Path) -> None:
    with child_of(spec_of(tmp_path)) as peer:
        hello = peer.receive()
        peer.send(Prepare(5, Tokenize(text="ab")), Ping())
        answers = [peer.receive(), peer.receive()]
        peer.send(Shutdown())

        assert isinstance(hello, Hello)
        assert hello.traits.model == "scripted"
        assert answers == [Prepared(5, (97, 98)), Pong()]
        assert peer.process.wait(60) == 0


def test_a_generation_runs_to_its_end(tmp_path: Path) -> None:
    generation = generation_of("abc", 5)
    with child_of(spec_of(tmp_path)) as peer:
        peer.receive()
        peer.send(Start(generation, Progress()))
        told: list[object] = []
        while not told or not isinstance(told[-1], Finished):
            answer = peer.receive()
            assert isinstance(answer, Events)
            told += answer.events

    advanced = [one for one in told if isinstance(one, Advanced)]
    assert [one.deltas[0].token_ids[0] for one in advanced] == [
        token_at(generation, position) for position in range(5)
    ]


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"factory": "no.such.module:Engine"}, "invalid_argument", "no engine"),
        ({"factory": "aios.cores.frames:Engine"}, "invalid_argument", "no engine"),
        ({"factory": ""}, "invalid_argument", "no engine"),
        ({"settings": {"model": 3}}, "invalid_argument", "Expected `str`, got `int`"),
        ({"settings": {}}, "invalid_argument", "missing required field `model`"),
        ({"settings": {"model": "m", "at_start": "refuse"}}, "not_found", "no model 'm'"),
        ({"settings": {"model": "m", "at_start": "raise"}}, "core_failed", "ZeroDivisionError"),
        ({"ram": "/proc/none"}, "invalid_argument", "expected a folder"),
    ],
)
def test_a_child_that_cannot_serve_says_why(
    tmp_path: Path, changes: dict[str, object], code: str, message: str
) -> None:
    with child_of(msgspec.structs.replace(spec_of(tmp_path), **changes)) as peer:
        answer = peer.receive()

        assert isinstance(answer, Refused)
        assert answer.code == code
        assert message in answer.message
        assert peer.process.wait(60) == 1


def test_errors_of_one_call_do_not_end_the_rest(tmp_path: Path) -> None:
    with child_of(spec_of(tmp_path)) as peer:
        peer.receive()
        peer.send(
            Prepare(1, Tokenize(text="!refuse")),
            Prepare(2, Tokenize(text="!raise")),
            Start(generation_of("x", None), Progress()),
            Prepare(3, Tokenize(text="x")),
        )

        assert peer.receive() == AskFailed(1, "invalid_argument", "expected another prompt")
        assert peer.receive() == AskFailed(
            2, "core_failed", "ZeroDivisionError: a bug in a tokenizer"
        )
        failed = peer.receive()
        assert isinstance(failed, Events)
        assert isinstance(failed.events[0], Failed)
        assert peer.receive() == Prepared(3, (120,))


@pytest.mark.parametrize("data", [b"\xff" * 100, frame(Pong()), b"\x01\x00\x00\x00\xc1"])
def test_a_child_that_is_sent_rubbish_exits(tmp_path: Path, data: bytes) -> None:
    with child_of(spec_of(tmp_path)) as peer:
        peer.receive()
        peer.connection.sendall(data)

        assert peer.process.wait(60) == 1


def test_a_child_leaves_when_the_kernel_has_closed_its_end(tmp_path: Path) -> None:
    with child_of(spec_of(tmp_path)) as peer:
        peer.receive()
        peer.send(Start(generation_of("x", 1_000_000), Progress()))
        peer.receive()
        peer.connection.close()

        assert peer.process.wait(60) == 0


@pytest.mark.parametrize("polite", [signal.SIGINT, signal.SIGTERM])
def test_a_polite_signal_is_left_to_the_kernel(tmp_path: Path, polite: signal.Signals) -> None:
    with child_of(spec_of(tmp_path)) as peer:
        peer.receive()
        os.kill(peer.process.pid, polite)
        peer.send(Ping())

        assert peer.receive() == Pong()


def test_what_libraries_print_is_not_among_the_frames(tmp_path: Path) -> None:
    with child_of(spec_of(tmp_path)) as peer:
        peer.receive()
        peer.send(Start(generation_of("!print", 1), Progress()))
        answer = peer.receive()

        assert isinstance(answer, Events)
        assert isinstance(answer.events[-1], Finished)


def test_a_kernel_that_does_not_read_makes_the_child_wait_not_grow(tmp_path: Path) -> None:
    with child_of(spec_of(tmp_path)) as peer:
        peer.receive()
        peer.send(Start(generation_of("!flood", 30), Progress()))  # 1 MB per token
        deltas = 0
        while True:
            answer = peer.receive()
            assert isinstance(answer, Events)
            deltas += sum(isinstance(one, Advanced) for one in answer.events)
            if isinstance(answer.events[-1], Finished):
                break

        assert deltas == 30 * 101


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_a_busy_child_dies_with_its_parent(tmp_path: Path) -> None:
    """The parent is killed while the child hangs in a step and cannot see the closed pipe."""
    program = (
        "import sys, pathlib\n"
        "from tests.cores.test_child import *\n"
        "with child_of(spec_of(pathlib.Path(sys.argv[1]))) as peer:\n"
        "    peer.receive()\n"
        "    peer.send(Start(generation_of('!hang', 1), Progress()))\n"
        "    print(peer.process.pid, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=ENVIRONMENT,
        cwd=ROOT,
    ) as parent:
        assert parent.stdout
        handle = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()

    ended, _, _ = select.select([handle], [], [], 60)
    os.close(handle)
    assert ended


def test_an_engine_whose_package_is_not_installed_is_told_with_what_to_install(
    tmp_path: Path,
) -> None:
    ram, disk = tmp_path / "ram", tmp_path / "disk"
    store = TierStore(ram=ram, disk=disk, ram_bytes=1, disk_bytes=1, owner="engine")
    spec = msgspec.structs.replace(spec_of(tmp_path), factory="tests.cores.needs_more:Engine")
    with pytest.raises(InvalidArgument, match=r"pip install 'aios-kernel\[local\]'"):
        build(spec, store)
    absent = msgspec.structs.replace(spec, factory="aios.no_such_engine:Engine")
    with pytest.raises(InvalidArgument, match="no engine"):
        build(absent, store)
