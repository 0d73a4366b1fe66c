"""Servers that programs are tried on, each a process of its own with a token for each name."""

import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.interop.homes import ROOT

END_S = 120
XDG = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR")


@dataclass(slots=True, kw_only=True)
class Server:
    """A running server; `seen` are the requests that it told of, where it does."""

    url: str
    agents: dict[str, str]  # tokens by name
    first: str  # the token that may do everything
    seen: list[dict[str, object]] = field(default_factory=list)


@contextmanager
def rules(names: Sequence[str], *flags: str) -> Iterator[Server]:
    """The whole server over the model of rules."""
    command = [sys.executable, "-m", "tests.interop.gateway", *flags, *names]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        lines = process.stdout
        told = json.loads(lines.readline())
        server = Server(url=told["url"], agents=told["agents"], first=told["token"])
        reader = threading.Thread(target=lambda: server.seen.extend(map(json.loads, lines)))
        reader.start()
        try:
            yield server
        finally:
            process.stdin.close()
            process.wait(timeout=END_S)
            reader.join()


@contextmanager
def pocket(names: Sequence[str]) -> Iterator[Server]:
    """`aios serve` with the model that comes with AIOS, in a home of its own."""
    with tempfile.TemporaryDirectory() as home:
        tokens = {name: f"aios-{secrets.token_hex(16)}" for name in names}
        file = Path(home) / "tokens"
        file.touch(mode=0o600)
        file.write_text("".join(f"{name} {token}\n" for name, token in tokens.items()))
        command = [sys.executable, "-m", "aios", "serve", "--port", "0", "--no-tools"]
        with subprocess.Popen(
            [*command, "--token-file", str(file)],
            env=os.environ | dict.fromkeys(XDG, home),
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            url = process.stdout.readline().strip().partition("=")[2].removesuffix("/v1")
            record = json.loads((Path(home) / "aios/server.json").read_text())
            try:
                yield Server(url=url, agents=tokens, first=record["token"])
            finally:
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=END_S)


MODELS: dict[str, Callable[[Sequence[str]], AbstractContextManager[Server]]] = {
    "rules": rules,
    "pocket": pocket,
}
