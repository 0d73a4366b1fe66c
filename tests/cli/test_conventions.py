"""What every command keeps to: ids alone, mistakes with a hint, pipes that close, completion."""

import json
import os
import subprocess
import sys

import pytest

from aios.cli.agents import token
from aios.cli.models import list_
from aios.cli.ps import ps
from aios.cli.remote import Form
from aios.cli.target import names
from aios.cli.version import version
from aios.errors import WrongState
from tests.cli.test_app import Run, run
from tests.server.house import House

__all__ = ["run"]  # a fixture
AIOS = [sys.executable, "-m", "aios"]


def test_quiet_is_pids_alone(first: House, capsys: pytest.CaptureFixture[str]) -> None:
    ps(quiet=True, url=first.url)
    assert capsys.readouterr().out == "1\n2\n"
    ps(quiet=True, filters=["name=gen"], url=first.url)
    assert capsys.readouterr().out == "2\n"


@pytest.mark.parametrize(
    ("filters", "count"),
    [(["state=running"], 2), (["state=paused"], 0), (["agent=agent", "parent=1"], 1)],
)
def test_filters_all_have_to_fit(
    first: House, capsys: pytest.CaptureFixture[str], filters: list[str], count: int
) -> None:
    ps(filters=filters, output=Form.JSON, url=first.url)
    assert len(json.loads(capsys.readouterr().out)) == count


def test_a_filter_that_there_is_not_is_wrong_usage_with_a_hint(first: House, run: Run) -> None:
    code, _, err = run("ps", "--filter", "nam=x", "--url", first.url)
    assert code == 2
    assert "did you mean name=?" in err


@pytest.mark.parametrize(
    ("words", "hint"),
    [(("stat",), "stats"), (("models", "lst"), "list"), (("ps", "--quite"), "--quiet")],
)
def test_a_mistyped_word_is_told_with_the_one_that_is_meant(
    run: Run, words: tuple[str, ...], hint: str
) -> None:
    code, _, err = run(*words)
    assert code == 2
    assert hint in err


def test_the_version_is_this_program_s_and_the_kernel_s_where_one_is_reached(
    home: House, capsys: pytest.CaptureFixture[str]
) -> None:
    version(Form.JSON, url=home.url)
    told = json.loads(capsys.readouterr().out)
    assert set(told) == {"aios", "kernel"}
    assert told["kernel"]["url"] == home.url
    version(Form.JSON)
    assert json.loads(capsys.readouterr().out)["kernel"] is None
    version(url="http://127.0.0.1:1")
    assert capsys.readouterr().out.count("\n") == 1


def test_the_version_is_also_an_option_as_everywhere(run: Run) -> None:
    assert run("--version") == run("version")


def test_a_table_of_agents_fits_eighty_columns(
    first: House, capsys: pytest.CaptureFixture[str]
) -> None:
    ps(url=first.url)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_who_stops_reading_gets_no_trace_back(first: House) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    for words in (["ps", "--url", first.url], ["config", "show"], ["--help"]):
        done = subprocess.run([*AIOS, *words], stdout=theirs, stderr=subprocess.PIPE, text=True)
        assert (done.returncode, done.stderr) == (1, "")
    os.close(theirs)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_a_script_that_asks_this_program(run: Run, shell: str) -> None:
    code, out, _ = run("completion", shell)
    assert code == 0
    assert "_AIOS_COMPLETE=complete_" in out


def test_a_shell_completes_commands_and_agents(
    first: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def completed(*words: str) -> list[str]:
        asked = {
            "_AIOS_COMPLETE": "complete_bash",
            "COMP_WORDS": " ".join(words),
            "COMP_CWORD": str(len(words) - 1),
            "AIOS_URL": first.url,
        }
        done = subprocess.run(AIOS, env={**os.environ, **asked}, capture_output=True, text=True)
        return done.stdout.split()

    assert completed("aios", "mod") == ["models"]
    assert completed("aios", "kill", "ag") == ["agent"]
    monkeypatch.setenv("AIOS_URL", "http://127.0.0.1:1")
    assert names("") == [], "a kernel that does not answer completes nothing"


def test_models_and_tokens_are_written_in_three_forms(
    first: House, capsys: pytest.CaptureFixture[str]
) -> None:
    list_(url=first.url)
    assert capsys.readouterr().out.splitlines()[0].startswith("NAME ")
    list_(Form.YAML, first.url)
    assert capsys.readouterr().out.startswith("- name: scripted\n")
    token("bob", Form.JSON, first.url)
    assert set(json.loads(capsys.readouterr().out)) == {"pid", "token"}


def test_a_name_that_an_agent_bears_already_is_refused_with_the_way_out(first: House) -> None:
    with pytest.raises(WrongState, match=r"lives already, pid \d+.*aios kill"):
        token("agent", url=first.url)
