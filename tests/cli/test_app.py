"""The command line as a whole: what it lists, how it starts, and how errors leave it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aios.bench.table import BENCHMARKS
from aios.cli import main
from aios.kernel.home import home

HEAVY = {
    "aiohttp", "llguidance", "numpy", "prometheus_client", "starlette", "tokenizers", "torch",
    "transformers", "uvicorn", "uvloop",
}  # fmt: skip
MODULES_AFTER = """
import sys
from aios.cli import main
sys.argv = ["aios", {argument!r}]
try:
    main()
finally:
    sys.stderr.write(" ".join(sorted(sys.modules)))
"""

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `aios` with those words; returns its exit code, stdout and stderr."""

    def aios(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["aios", *words])
        with pytest.raises(SystemExit) as left:
            main()
        code = left.value.code
        assert isinstance(code, int)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return aios


def test_help_lists_every_command(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0
    for name in (
        "agents", "bench", "demo", "doctor", "files", "journal", "memory", "models", "ps", "run",
        "serve", "shell", "version",
    ):  # fmt: skip
        assert f"\n  {name} " in out


def test_help_of_bench_lists_every_benchmark(run: Run) -> None:
    _, out, _ = run("bench", "--help")
    assert all(name in out for name in BENCHMARKS)


@pytest.mark.parametrize("argument", ["--help", "version"])
def test_the_start_imports_nothing_heavy(argument: str) -> None:
    script = MODULES_AFTER.format(argument=argument)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    modules = set(done.stderr.split())
    assert done.returncode == 0
    assert "aios.cli.app" in modules
    assert not modules & (HEAVY | {"aios.kernel", "rich.table"})


@pytest.mark.parametrize(
    "words",
    [
        ("nix",),
        ("bench",),
        ("bench", "nix"),
        ("bench", "overhead", "--nix"),
        ("bench", "overhead", "--seed", "-1"),
        ("serve", "--port", "70000"),
        ("ps", "-o", "xml"),
        ("agents", "token"),
        ("bench", "overhead", "--json", "/nix/nix/figures.json"),
    ],
)
def test_wrong_usage_is_exit_code_2_before_anything_runs(run: Run, words: tuple[str, ...]) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert "Usage:" in err


def test_an_error_of_aios_is_one_line_and_exit_code_1(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BENCHMARKS, "failing", "tests.cli.benchmarks:failing")
    assert run("bench", "failing") == (1, "", "aios: core_failed: no core today\n")


def test_the_package_is_the_command() -> None:
    command = [sys.executable, "-m", "aios", "version"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout[:4]) == (0, "aios")


def test_serve_says_at_once_where_it_cannot_keep_its_record(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "file"))
    code, out, err = run("serve", "--port", "0", "--state", str(tmp_path / "home"))
    assert (code, out) == (1, "")
    assert err.startswith("aios: invalid_argument: cannot keep the server's record: ")
    assert err.count("\n") == 1


def test_serve_says_at_once_that_another_kernel_has_the_home(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    with home(tmp_path / "home"):
        code, out, err = run("serve", "--port", "0", "--state", str(tmp_path / "home"))
    assert (code, out) == (1, "")
    assert err.startswith("aios: busy: another kernel has its home in ")
    assert err.count("\n") == 1


def test_version_names_the_program(run: Run) -> None:
    code, out, _ = run("version")
    assert code == 0
    assert out.startswith("aios")
