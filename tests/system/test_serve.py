"""`aios serve` as a person runs it: the shipped model, the official clients, signals, a restart."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

START_S = 60.0
STOP_S = 30.0
END_TOKEN = "1"  # the shipped model's <|end|>
ADD = {
    "type": "function",
    "function": {
        "name": "calculator",
        "description": "Computes.",
        "parameters": {
            "type": "object",
            "properties": {"expr": {"type": "string"}},
            "required": ["expr"],
        },
    },
}
QUESTION = [{"role": "user", "content": "What is 12 + 30?"}]


class Serve:
    """A server in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.environment = {
            **os.environ,
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_RUNTIME_DIR": str(home / "run"),
        }
        self.told: dict[str, str] = {}
        self.process: subprocess.Popen[str] | None = None

    @contextmanager
    def running(self, *options: str) -> Iterator["Serve"]:
        command = [sys.executable, "-m", "aios.cli", "serve", "--port", "0", *options]
        with subprocess.Popen(
            command,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as self.process:
            try:
                self._await_ready(self.process)
                yield self
            finally:
                if self.process.poll() is None:
                    self.process.kill()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """The exit code after a signal."""
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(STOP_S)

    def aios(self, *words: str) -> str:
        """What another command prints."""
        done = self.tried(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def tried(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Another command, however it ends."""
        return subprocess.run(
            [sys.executable, "-m", "aios.cli", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=START_S,
        )

    def chat(self, key: str = "", **fields: Any) -> tuple[int, dict[str, Any]]:
        """Status and body of a chat, by plain HTTP."""
        request = urllib.request.Request(
            f"{self.told['OPENAI_BASE_URL']}/chat/completions",
            data=json.dumps({"messages": QUESTION, "temperature": 0, **fields}).encode(),
            headers={"authorization": f"Bearer {self.told['OPENAI_API_KEY']}"}
            | ({"idempotency-key": key} if key else {}),
        )
        try:
            with urllib.request.urlopen(request, timeout=START_S) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)

    def metrics(self) -> str:
        url = f"{self.told['ANTHROPIC_BASE_URL']}/metrics"
        with urllib.request.urlopen(url, timeout=START_S) as answer:
            text: bytes = answer.read()
        return text.decode()

    def _await_ready(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if "ready at" in line:
                break
        else:
            raise AssertionError(f"never ready: {lines}")
        for _ in range(4):
            name, _, value = process.stdout.readline().removeprefix("export ").partition("=")
            self.told[name] = value.strip()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    with Serve(tmp_path_factory.mktemp("serve")).running() as serve:
        yield serve


def test_the_openai_client_drives_a_tool_loop_on_the_shipped_model(server: Serve) -> None:
    openai = pytest.importorskip("openai")
    client = openai.OpenAI(
        base_url=server.told["OPENAI_BASE_URL"], api_key=server.told["OPENAI_API_KEY"]
    )
    with client:
        asked: list[Any] = list(QUESTION)
        first = client.chat.completions.create(
            model="gpt-4o-mini", messages=asked, tools=[ADD], temperature=0
        )
        call = first.choices[0].message.tool_calls[0]
        assert (call.function.name, first.choices[0].finish_reason) == ("calculator", "tool_calls")
        asked += [first.choices[0].message, {
            "role": "tool", "tool_call_id": call.id, "content": "42"}]  # fmt: skip
        with client.chat.completions.stream(
            model="gpt-4o-mini", messages=asked, tools=[ADD], temperature=0
        ) as stream:
            final = stream.get_final_completion()
        assert "42" in final.choices[0].message.content


def test_the_anthropic_client_is_answered(server: Serve) -> None:
    anthropic = pytest.importorskip("anthropic")
    client = anthropic.Anthropic(
        base_url=server.told["ANTHROPIC_BASE_URL"], api_key=server.told["ANTHROPIC_API_KEY"]
    )
    with client:
        said = [{"role": "user", "content": "Count from 1 to 5."}]
        # More tokens than the model's context has: Anthropic's protocol makes programs name some.
        reply = client.messages.create(model="claude", max_tokens=4_096, messages=said)
        assert reply.content[0].text.strip()
        counted = client.messages.count_tokens(model="claude", messages=said)
        assert counted.input_tokens == reply.usage.input_tokens + (
            reply.usage.cache_read_input_tokens or 0
        )


def test_an_answer_of_a_schema_is_json_of_it(server: Serve) -> None:
    schema = {
        "type": "object",
        "properties": {"ok": {"type": "boolean"}},
        "required": ["ok"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    status, reply = server.chat(response_format=form, max_tokens=50)
    assert status == 200
    assert json.loads(reply["choices"][0]["message"]["content"])["ok"] in (True, False)


def test_log_probabilities_come_with_the_answer(server: Serve) -> None:
    _, reply = server.chat(logprobs=True, top_logprobs=2, max_tokens=5)
    told = reply["choices"][0]["logprobs"]["content"]
    assert len(told) == reply["usage"]["completion_tokens"]
    assert all(one["logprob"] <= 0 and len(one["top_logprobs"]) == 2 for one in told)


def test_a_persons_commands_find_the_running_kernel(server: Serve) -> None:
    token = server.aios("agents", "token", "bob").strip()
    assert token.startswith("aios-")
    rows = {one["name"] for one in json.loads(server.aios("ps", "-o", "json"))}
    assert rows == {"init", "default", "bob"}
    assert "pocket" in server.aios("models", "list")
    assert server.aios("ps").startswith("PID")


def test_a_signal_keeps_what_runs_and_the_next_start_goes_on_with_it(tmp_path: Path) -> None:
    serve = Serve(tmp_path)
    # Its end token is forbidden, so that it lasts longer than the signal takes.
    long: dict[str, Any] = {"max_tokens": 1_500, "logit_bias": {END_TOKEN: -100}}
    with serve.running("--drain-s", "0") as first:
        whole = first.chat(**long)[1]["choices"][0]["message"]["content"]
        script = f"""
import sys
from pathlib import Path
sys.path[:0] = {sys.path!r}
from tests.system.test_serve import Serve
serve = Serve(Path({str(tmp_path)!r}))
serve.told = {serve.told!r}
print(serve.chat("the-same-call", **{long!r})[0])
"""
        with subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
        ) as caller:
            while "aios_generations_live 1.0" not in first.metrics():
                assert caller.poll() is None, "the call ended before it could be interrupted"
            assert first.stop() == 0
            assert caller.communicate(timeout=STOP_S)[0].strip() == "503"
        key = serve.told["OPENAI_API_KEY"]
    with serve.running() as second:
        assert second.told["OPENAI_API_KEY"] == key
        status, reply = second.chat("the-same-call", **long)
        assert (status, reply["choices"][0]["message"]["content"]) == (200, whole)
        assert second.stop(signal.SIGINT) == 130


def test_a_port_that_is_taken_is_one_line_and_exit_code_1(server: Serve, tmp_path: Path) -> None:
    port = server.told["OPENAI_BASE_URL"].rpartition(":")[2].partition("/")[0]
    done = subprocess.run(
        [sys.executable, "-m", "aios.cli", "serve", "--port", port],
        env=Serve(tmp_path).environment,
        capture_output=True,
        text=True,
        timeout=START_S,
    )
    assert done.returncode == 1
    assert "choose another --port" in done.stderr.splitlines()[-1]


def test_callers_without_a_token_are_for_loopback_alone(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "aios.cli", "serve", "--host", "0.0.0.0", "--allow-anonymous"],
        env=Serve(tmp_path).environment,
        capture_output=True,
        text=True,
        timeout=START_S,
    )
    assert done.returncode == 1
    assert "expected a loopback address" in done.stderr


def test_hosts_that_agents_may_fetch_from_come_from_the_settings(tmp_path: Path) -> None:
    serve = Serve(tmp_path)
    file = tmp_path / "config" / "aios" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('[kernel]\nallow_host = ["docs.example.org", "*.example.net:8443"]\n')

    def allowed() -> str:
        shown = json.loads(serve.aios("tools", "show", "aios/http_fetch", "-o", "json"))
        return str(shown["covers"]["description"]).partition("Allowed hosts: ")[2]

    with serve.running():
        assert allowed() == "docs.example.org, *.example.net."
        other = serve.tried("tools", "call", "aios/http_fetch", '{"url": "https://example.com/"}')
        assert other.returncode == 1
        assert "example.com:443 is not among the hosts" in other.stderr
        assert serve.stop() == 0
    serve.environment["AIOS_ALLOW_HOST"] = "one.example.org two.example.org:80"
    with serve.running():
        assert allowed() == "one.example.org, two.example.org."
        assert serve.stop() == 0
