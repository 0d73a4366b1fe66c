"""The five kinds of agent of the AIOS paper, at once on one kernel: `make five`.

ReAct and Reflexion are AIOS's own; AutoGen, Open Interpreter and MetaGPT are the frameworks, each
in its own environment, with nothing but settings. Each is a process of the kernel with a token and
a name; while they run, `aios ps` shows them side by side.

The model follows a few rules, and is slow on purpose: it is there to be shared. No model that fits
into a package writes the programs that Open Interpreter and MetaGPT ask for.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.interop.homes import ROOT, environment, make, table
from tests.interop.run import EXPECTED
from tests.interop.servers import Server, rules

HERE = Path(__file__).parent
OWN = {"react": "react_agent.py", "reflexion": "reflexion_agent.py"}
FRAMEWORKS = ("autogen", "open-interpreter", "metagpt")
NAMES = (*OWN, *FRAMEWORKS)
COMMAND_S = 60
LOOK_S = 0.5
LOOKS_MAX = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of agent: what runs it, and where."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path  # MetaGPT writes its logs and schemas wherever it is started.


def main() -> int:
    known = table()
    for name in FRAMEWORKS:
        make(known[name])
    answers = played(NAMES, "--slow")
    print()
    for name, answer in answers.items():
        print(f"{name:18}{answer}")
    return 0 if all(EXPECTED in answer for answer in answers.values()) else 1


def played(names: Sequence[str], *flags: str) -> dict[str, str]:
    """The answer of each kind, all of which run at once; what `aios ps` shows is printed."""
    with ExitStack() as stack:
        server = stack.enter_context(rules([], *flags))
        print(f"one kernel at {server.url}; its model follows rules")
        kinds = [_kind(name, server, Path(stack.enter_context(_folder()))) for name in names]
        running = {kind.name: stack.enter_context(_started(kind)) for kind in kinds}
        for name, process in running.items():
            _wait_ready(name, process)
        _go(running.values())
        _watch(running, server)
        return {name: _answer(process) for name, process in running.items()}


def _kind(name: str, server: Server, home: Path) -> Kind:
    token = _aios(server, "agents", "token", name).strip()
    if name in OWN:
        own = {"AIOS_URL": server.url, "AIOS_TOKEN": token}
        command = [sys.executable, str(HERE / "start.py"), str(HERE / OWN[name])]
        return Kind(name=name, command=command, environment=os.environ | own, folder=Path.cwd())
    framework = table()[name]
    program = ROOT / "tests/interop/programs" / f"{framework.programs[0]}.py"
    command = [str(framework.interpreter), "-I", str(HERE / "start.py"), str(program)]
    told = environment(framework, server.url, token, home)
    return Kind(name=name, command=command, environment=told, folder=home)


def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(ignore_cleanup_errors=True)


@contextmanager
def _started(kind: Kind) -> Iterator[subprocess.Popen[str]]:
    """The kind's process, which waits to be told to begin; it ends with this block."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        kind.command,
        env=kind.environment,
        cwd=kind.folder,
        stdin=pipe,
        stdout=pipe,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _wait_ready(name: str, process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    if "ready\n" not in iter(process.stdout.readline, ""):
        raise SystemExit(f"{name} did not start")


def _go(processes: Iterable[subprocess.Popen[str]]) -> None:
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.close()


def _watch(running: Mapping[str, subprocess.Popen[str]], server: Server) -> None:
    """Show `aios ps` whenever it is news, until all have ended."""
    shown: list[str] = []
    for _ in range(LOOKS_MAX):
        seen = _aios(server, "ps")
        news = [line for line in seen.splitlines() if " init " not in line]  # which only looks
        if news != shown:
            print(f"\n$ aios ps\n{seen.rstrip()}", flush=True)
        shown = news
        waiting = [one for one in running.values() if one.poll() is None]
        if not waiting:
            return
        with suppress(subprocess.TimeoutExpired):
            waiting[0].wait(LOOK_S)


def _answer(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    told = [line for line in process.stdout if line.startswith("answer: ")]
    return told[-1].removeprefix("answer: ").strip() if told else "no answer"


def _aios(server: Server, *words: str) -> str:
    """What an `aios` command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "aios", *words],
        env=os.environ | {"AIOS_URL": server.url, "AIOS_TOKEN": server.first},
        capture_output=True,
        text=True,
        check=True,
        timeout=COMMAND_S,
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
