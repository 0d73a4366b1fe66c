"""Tries frameworks against the server and tells what came of each: `make interop [ONLY=NAME]`.

Each program runs in its framework's own environment with nothing but settings. Two controls must
fail: a base URL that leads nowhere, and an answer that cannot come.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.interop.homes import HERE, ROOT, Framework, environment, made, table

EXPECTED = "5781"  # 123 * 47
PROGRAM_S = 180
START_S = 120


@dataclass(slots=True)
class Gateway:
    """A running server, and the requests that it told of."""

    url: str
    agents: dict[str, str]
    seen: list[dict[str, object]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    framework: Framework
    program: str
    model: str
    passed: bool
    seconds: float
    paths: tuple[str, ...]
    streamed: str
    said: str


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="a framework, or some with commas between them")
    parser.add_argument("--json", type=Path, help="a file for the verdicts")
    given = parser.parse_args(arguments)
    known = table()
    chosen = [known[name] for name in given.only.split(",")] if given.only else [*known.values()]
    verdicts = [one for framework in chosen for one in tried(framework)]
    print(_told(verdicts))
    for verdict in verdicts:
        if not verdict.passed:
            print(f"\n{verdict.program} on {verdict.model}:\n{verdict.said[-3_000:]}")
    if given.json:
        given.json.write_text(json.dumps([_row(one) for one in verdicts], indent=1))
    return 0 if all(verdict.passed for verdict in verdicts) else 1


def tried(framework: Framework) -> Iterator[Verdict]:
    """Every program of one framework, and the controls of its first."""
    interpreter = made(framework)
    with gateway([framework.name]) as server:
        for program in framework.programs:
            yield judged(framework, program, interpreter, server)
        yield from _controls(framework, interpreter, server)


def judged(framework: Framework, program: str, interpreter: Path, server: Gateway) -> Verdict:
    """One program's verdict."""
    server.seen.clear()
    token = server.agents[framework.name]
    began = time.perf_counter()
    code, said = ran(interpreter, program, server.url, token)
    return Verdict(
        framework=framework,
        program=program,
        model="rules",
        passed=code == 0,
        seconds=time.perf_counter() - began,
        paths=tuple(dict.fromkeys(str(one["path"]) for one in server.seen)),
        streamed=_share([bool(one["streamed"]) for one in server.seen]),
        said=said,
    )


def ran(
    interpreter: Path, program: str, url: str, token: str, expected: str = EXPECTED
) -> tuple[int, str]:
    """How a program ended, and all that it said."""
    with tempfile.TemporaryDirectory() as home:
        command = [str(interpreter), "-I", str(HERE / "judge.py"), _path(program), expected]
        try:
            done = subprocess.run(
                command,
                cwd=home,
                env=environment(url, token, Path(home)),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=PROGRAM_S,
            )
        except subprocess.TimeoutExpired as late:
            return 1, f"no end after {PROGRAM_S} s\n{late.stdout!r}\n{late.stderr!r}"
    return done.returncode, done.stdout + done.stderr


@contextmanager
def gateway(names: Sequence[str]) -> Iterator[Gateway]:
    """A server over the model of rules, with a token for each name."""
    command = [sys.executable, "-m", "tests.interop.gateway", *names]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        server = Gateway(first["url"], first["agents"])
        lines = process.stdout
        reader = threading.Thread(target=lambda: server.seen.extend(map(json.loads, lines)))
        reader.start()
        try:
            yield server
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(timeout=START_S)
            reader.join()


def _controls(framework: Framework, interpreter: Path, server: Gateway) -> Iterator[Verdict]:
    """What must end with 1; each is passed where it does."""
    program, token = framework.programs[0], server.agents[framework.name]
    tries = {
        "wrong path": (f"{server.url}/nowhere", EXPECTED),
        "unreachable answer": (server.url, "no such text"),
    }
    for name, (url, expected) in tries.items():
        began = time.perf_counter()
        code, said = ran(interpreter, program, url, token, expected)
        yield Verdict(
            framework=framework,
            program=f"control: {name}",
            model="rules",
            passed=code == 1,
            seconds=time.perf_counter() - began,
            paths=(),
            streamed="",
            said=said,
        )


def _share(streamed: Sequence[bool]) -> str:
    if not streamed:
        return ""
    return {len(streamed): "yes", 0: "no"}.get(sum(streamed), "both")


def _path(program: str) -> str:
    return str(HERE / "programs" / f"{program}.py")


def _row(verdict: Verdict) -> dict[str, object]:
    return {
        "framework": verdict.framework.title,
        "version": verdict.framework.version,
        "program": verdict.program,
        "model": verdict.model,
        "paths": verdict.paths,
        "streamed": verdict.streamed,
        "passed": verdict.passed,
        "seconds": round(verdict.seconds, 1),
    }


def _told(verdicts: Sequence[Verdict]) -> str:
    rows = [("FRAMEWORK", "VERSION", "PROGRAM", "MODEL", "PATHS", "STREAMED", "VERDICT", "S")]
    for one in verdicts:
        verdict = "passed" if one.passed else "FAILED"
        rows.append(
            (
                one.framework.title, one.framework.version, one.program, one.model,
                " ".join(one.paths), one.streamed, verdict, f"{one.seconds:.1f}",
            )
        )  # fmt: skip
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
