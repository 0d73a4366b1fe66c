"""The reference pages say what the code says."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

from aios.cli.app import app
from aios.cli.settings import BY_ENV, SETTINGS

WITHOUT_FORMS = {
    f"aios {name}"
    for name in (
        "access revoke", "agents install", "agents publish", "agents remove", "approvals no",
        "approvals yes", "audit export", "bench", "budgets set", "budgets top-up", "completion",
        "config path", "dashboard", "demo", "files diff", "files read", "files restore",
        "files rollback", "journal backup", "journal restore", "kill", "logs", "mcp",
        "models pull", "models remove", "pause", "resume", "run", "secrets remove", "secrets set",
        "send", "serve", "shell", "tools accept", "tools remove", "top",
    )
}  # fmt: skip
DOCS = Path(__file__).parent.parent.parent / "docs"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["syscalls.md", "errors.md", "commands.md"])
def test_a_reference_page_is_what_the_code_generates(name: str) -> None:
    page = (DOCS / "reference" / name).read_text()
    assert page == generator().PAGES[name](), "run `python docs/generate.py`"


def commands(path: str = "aios", command: Any = None) -> Iterator[tuple[str, Any]]:
    """Every command and group by what is typed."""
    command = command or typer.main.get_command(app)
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(f"{path} {name}", below)


@pytest.mark.parametrize("path", [path for path, _ in commands()])
def test_a_command_and_all_that_it_takes_have_help(path: str) -> None:
    command = dict(commands())[path]
    assert command.help
    assert [one.name for one in command.params if not getattr(one, "help", "")] == []


def test_every_option_that_is_a_setting_has_its_variable_and_no_other_has_one() -> None:
    taken = {
        one.envvar for _, command in commands() for one in command.params if one.envvar is not None
    }
    assert taken <= set(BY_ENV) | {"AIOS_CONFIG"}
    assert {one.env for one in SETTINGS.values() if one.flags} <= taken


def test_whatever_shows_a_result_writes_it_in_three_forms() -> None:
    """Those that do not show nothing, write bytes or lines of their own, or stay on the screen."""
    without = {
        path
        for path, command in commands()
        if not hasattr(command, "commands") and "output" not in {one.name for one in command.params}
    }
    assert without == WITHOUT_FORMS
