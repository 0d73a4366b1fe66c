"""`aios bench`: the file it writes, the tables it shows, and when it fails."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import typer

from aios.bench.table import BENCHMARKS
from aios.cli.bench import bench
from aios.errors import InvalidArgument

MAKEFILE = Path(__file__).parents[2] / "Makefile"
ALL = sorted(BENCHMARKS)  # before the fixture adds some


@pytest.fixture(autouse=True)
def _benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("small", "broken_promise"):
        monkeypatch.setitem(BENCHMARKS, name, f"tests.cli.benchmarks:{name}")


def test_the_file_has_the_documented_fields_and_the_machine(tmp_path: Path) -> None:
    bench("small", seed=5, json=tmp_path / "figures.json")
    found = json.loads((tmp_path / "figures.json").read_text())
    machine = found.pop("machine")
    assert found == {"seed": 5, "is_quick": True}
    assert machine["cores"] >= 1
    assert machine["more"] == {"extra": 1}
    assert {"git_sha", "cpu", "python", "profile"} <= machine.keys()


def test_full_is_passed_on(tmp_path: Path) -> None:
    bench("small", full=True, json=tmp_path / "figures.json")
    assert json.loads((tmp_path / "figures.json").read_text())["is_quick"] is False


def test_tables_and_bars_are_shown_without_colour_or_progress_where_nobody_watches(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bench("small", seed=5)
    shown = capsys.readouterr()
    for word in ("Small", "seed", "Bars", "speed", ">= 2", "NO"):
        assert word in shown.out
    assert "\x1b" not in shown.out
    assert shown.err == ""


def test_a_broken_promise_fails_the_run_but_is_written_down(tmp_path: Path) -> None:
    with pytest.raises(typer.Exit) as left:
        bench("broken_promise", json=tmp_path / "figures.json")
    assert left.value.exit_code == 1
    assert (tmp_path / "figures.json").exists()


def test_a_device_is_passed_on_to_a_benchmark_that_computes() -> None:
    with pytest.raises(InvalidArgument, match="'cuda:99' cannot"):
        bench("decode", device="cuda:99")


def test_a_device_for_a_benchmark_that_computes_with_no_model_is_refused() -> None:
    with pytest.raises(typer.BadParameter, match="decode, switch, throughput"):
        bench("small", device="cuda")


def test_make_bench_runs_every_benchmark_there_is() -> None:
    named = re.search(r"^BENCHMARKS := (.*)$", MAKEFILE.read_text(), re.MULTILINE)
    assert named is not None
    assert named[1].split() == ALL


@pytest.mark.skipif(shutil.which("make") is None, reason="no make here")
def test_make_bench_goes_on_after_a_failure_and_tells_it(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    aios = tmp_path / "aios"
    aios.write_text('#!/bin/sh\necho "ran $2 $3"\ntest "$2" != eviction\n')
    aios.chmod(0o700)
    given = (f"BIN={tmp_path}", f"STAMP={aios}")  # installed, as make sees it
    command = ["make", "-s", "-f", str(MAKEFILE), "bench", *given]
    environment = {name: value for name, value in os.environ.items() if name != "AIOS_DATA"}
    made = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert [line for line in made.stdout.splitlines() if line.startswith("ran")] == [
        f"ran {name} --quick" for name in ALL
    ]
    assert "failed: eviction" in made.stdout
    assert "made-up streams" in made.stdout
    assert made.returncode != 0
