"""`aios serve` as a service manager runs it: drained, reloaded, watched, logged, refused."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.system.test_serve import END_TOKEN, START_S, STOP_S, Serve

LONG: dict[str, Any] = {"max_tokens": 600, "logit_bias": {END_TOKEN: -100}}
ROOT = Path(__file__).parents[2]


def caller(home: Path, serve: Serve, **asked: Any) -> "subprocess.Popen[str]":
    """Another program that makes one call, and prints its status."""
    script = f"""
import sys
from pathlib import Path
sys.path[:0] = {sys.path!r}
from tests.system.test_serve import Serve
serve = Serve(Path({str(home)!r}))
serve.told = {serve.told!r}
print(serve.chat(**{asked!r})[0])
"""
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)


def status_of(serve: Serve, path: str, token: str = "") -> int:
    url = serve.told["ANTHROPIC_BASE_URL"] + path
    asked = urllib.request.Request(url, headers={"authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(asked, timeout=START_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


def entry(serve: Serve, message: str) -> dict[str, Any]:
    """The next entry of the log, which is JSON, whose message begins so."""
    assert serve.process is not None
    assert serve.process.stderr is not None
    for line in serve.process.stderr:
        told: dict[str, Any] = json.loads(line)
        if told["message"].startswith(message):
            return told
    raise AssertionError(f"the log ended without {message!r}")


def test_what_runs_may_end_before_a_stop_and_nothing_new_begins(tmp_path: Path) -> None:
    with (
        Serve(tmp_path).running("--drain-s", "60", "--log-format", "json") as serve,
        caller(tmp_path, serve, **LONG) as other,
    ):
        while "aios_generations_live 1.0" not in serve.metrics():
            assert other.poll() is None, "the call ended before the stop"
        assert serve.process is not None
        serve.process.send_signal(signal.SIGTERM)
        assert entry(serve, "stopping")["level"] == "info"
        assert status_of(serve, "/health/ready") == 503
        assert serve.chat()[0] == 503
        assert other.communicate(timeout=STOP_S)[0].strip() == "200"
        assert serve.process.wait(STOP_S) == 0


def test_a_reload_lets_new_tokens_in_and_old_ones_out(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.touch(mode=0o600)
    tokens.write_text("alice aaaaaaaaaaaaaaaa\nbob bbbbbbbbbbbbbbbb\n")
    options = ("--token-file", str(tokens), "--log-format", "json")
    with Serve(tmp_path).running(*options) as serve:
        assert serve.process is not None
        assert status_of(serve, "/v1/models", "b" * 16) == 200
        tokens.write_text("alice aaaaaaaaaaaaaaaa\ncarol cccccccccccccccc\n")
        serve.process.send_signal(signal.SIGHUP)
        entry(serve, "the policy, tokens and names of models are read again")
        told = [status_of(serve, "/v1/models", letter * 16) for letter in "abc"]
        assert told == [200, 401, 200]
        tokens.write_text("a line of nonsense\n")
        serve.process.send_signal(signal.SIGHUP)
        assert entry(serve, "everything stays as it was")["level"] == "error"
        assert status_of(serve, "/v1/models", "c" * 16) == 200


def test_a_service_manager_is_told_of_the_start_and_the_stop(tmp_path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(STOP_S)
        serve = Serve(tmp_path)
        serve.environment["NOTIFY_SOCKET"] = str(tmp_path / "notify")
        with serve.running():
            assert manager.recv(1_000).startswith(b"READY=1\nSTATUS=ready at http://127.0.0.1")
            assert serve.stop() == 0
            assert manager.recv(1_000) == b"STOPPING=1"


def test_beyond_this_machine_nobody_is_served_without_a_token(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.touch(mode=0o600)
    done = subprocess.run(
        [sys.executable, "-m", "aios.cli", "serve", "--host", "0.0.0.0", "--token-file", tokens],
        env=Serve(tmp_path).environment,
        capture_output=True,
        text=True,
        timeout=START_S,
    )
    assert done.returncode == 1
    assert "expected a token in the token file" in done.stderr


def test_what_is_deployed_names_only_options_that_there_are() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "aios.cli", "serve", "--help"],
        capture_output=True,
        text=True,
        timeout=START_S,
        env={**os.environ, "COLUMNS": "200"},
    ).stdout
    deployed = [(ROOT / "deploy" / name).read_text() for name in ("aios.service", "compose.yaml")]
    deployed.append((ROOT / "deploy/Dockerfile").read_text().rpartition("ENTRYPOINT")[2])
    lines = (line for text in deployed for line in text.splitlines())
    served = [line for line in lines if "serve" in line and "--" in line]
    assert len(served) == 3
    words = " ".join(served).replace('"', " ").replace(",", " ").split()
    assert {one for one in words if one.startswith("--")} <= set(told.replace(",", " ").split())
