"""Tries frameworks against the server and tells what came of each: `make interop [ONLY=NAME]`.

Each program runs in its framework's own environment with nothing but settings. Two controls must
fail: a base URL that leads nowhere, and an answer that cannot come.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.interop.homes import HERE, Framework, environment, make, table
from tests.interop.servers import MODELS, Server

EXPECTED = "5781"  # 123 * 47
PROGRAM_S = 180
TRIES = {"rules": 1, "pocket": 3}  # a small model that samples is not always right
COLUMNS = ("FRAMEWORK", "VERSION", "PROGRAM", "MODEL", "PATHS", "STREAMED", "VERDICT", "S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One program in front of one server. `to` is below the server's address."""

    framework: Framework
    program: str
    model: str
    expected: str = EXPECTED
    to: str = ""

    @property
    def is_control(self) -> bool:
        return self.expected != EXPECTED or bool(self.to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    trial: Trial
    code: int
    said: str
    seconds: float
    requests: tuple[dict[str, object], ...]

    @property
    def is_good(self) -> bool:
        """A control must end with 1, anything else with 0."""
        return self.code == int(self.trial.is_control)

    @property
    def row(self) -> tuple[str, ...]:
        """A line of the table."""
        trial = self.trial
        control = "nowhere" if trial.to else "no such answer" if trial.is_control else ""
        return (
            trial.framework.title,
            trial.framework.version,
            f"{trial.program} ({control})" if control else trial.program,
            trial.model,
            " ".join(dict.fromkeys(str(one["path"]) for one in self.requests)),
            _share([bool(one["streamed"]) for one in self.requests]),
            "as expected" if self.is_good else "FAILED",
            f"{self.seconds:.1f}",
        )


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="a framework, or some with commas between them")
    parser.add_argument("--json", type=Path, help="a file for the table")
    given = parser.parse_args(arguments)
    known = table()
    names = given.only.split(",") if given.only else list(known)
    if unknown := set(names) - known.keys():
        parser.error(f"no framework {sorted(unknown)}; there is {', '.join(known)}")
    chosen = [known[name] for name in names]
    verdicts = []
    for verdict in (one for framework in chosen for one in tried(framework)):
        print("  ".join(verdict.row[2:]), file=sys.stderr, flush=True)
        if not verdict.is_good:
            print(verdict.said[-3_000:], file=sys.stderr, flush=True)
        verdicts.append(verdict)
    print(_aligned([COLUMNS, *(verdict.row for verdict in verdicts)]))
    if given.json:
        rows = [dict(zip(map(str.lower, COLUMNS), one.row, strict=True)) for one in verdicts]
        given.json.write_text(json.dumps(rows, indent=1))
    return 0 if all(verdict.is_good for verdict in verdicts) else 1


def tried(framework: Framework) -> Iterator[Verdict]:
    """Every program of one framework, and the controls of its first."""
    make(framework)
    for model, open_server in MODELS.items():
        trials = _trials(framework, model)
        if not trials:
            continue
        with open_server([framework.name]) as server:
            for trial in trials:
                yield _best(trial, server)


def judged(trial: Trial, server: Server) -> Verdict:
    """What came of a program on a server that knows its framework."""
    before = len(server.seen)
    began = time.perf_counter()
    code, said = _ran(trial, server.url + trial.to, server.agents[trial.framework.name])
    return Verdict(
        trial=trial,
        code=code,
        said=said,
        seconds=time.perf_counter() - began,
        requests=tuple(server.seen[before:]),
    )


def _best(trial: Trial, server: Server) -> Verdict:
    """The first good verdict, or the last."""
    for _ in range(TRIES[trial.model]):
        verdict = judged(trial, server)
        if verdict.is_good:
            break
    return verdict


def _trials(framework: Framework, model: str) -> list[Trial]:
    if model == "pocket":
        return [Trial(framework=framework, program=one, model=model) for one in framework.pocket]
    trials = [Trial(framework=framework, program=one, model=model) for one in framework.programs]
    first = framework.programs[0]
    return [
        *trials,
        Trial(framework=framework, program=first, model=model, to="/nowhere"),
        Trial(framework=framework, program=first, model=model, expected="no such answer"),
    ]


def _ran(trial: Trial, url: str, token: str) -> tuple[int, str]:
    """How a program ended, and all that it said."""
    program = HERE / "programs" / f"{trial.program}.py"
    interpreter = str(trial.framework.interpreter)
    with tempfile.TemporaryDirectory() as home:
        try:
            done = subprocess.run(
                [interpreter, "-I", str(HERE / "judge.py"), str(program), trial.expected],
                cwd=home,
                env=environment(trial.framework, url, token, Path(home)),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=PROGRAM_S,
            )
        except subprocess.TimeoutExpired as late:
            return -1, f"no end after {PROGRAM_S} s\n{late.stdout!r}\n{late.stderr!r}"
    return done.returncode, done.stdout + done.stderr


def _share(streamed: Sequence[bool]) -> str:
    if not streamed:
        return ""
    return {len(streamed): "yes", 0: "no"}.get(sum(streamed), "both")


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
