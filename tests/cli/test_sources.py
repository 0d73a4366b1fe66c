"""Where settings come from, and which goes before which."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from aios.cli import settings, sources
from aios.cli.remote import place_of
from aios.config import Limits
from aios.errors import InvalidArgument
from tests.cli.test_app import Run, run

__all__ = ["run"]  # a fixture

Write = Callable[[str], Path]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a project, and no settings but those that a test makes."""
    for one in settings.SETTINGS.values():
        for name in (one.env, f"{one.env}_FILE"):
            monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("AIOS_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    folder = tmp_path / "project" / "deep"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return tmp_path


@pytest.fixture
def project(place: Path) -> Write:
    def write(text: str) -> Path:
        file = place / "project" / "aios.toml"
        file.write_text(text)
        return file

    return write


@pytest.fixture
def user(place: Path) -> Write:
    def write(text: str) -> Path:
        file = place / "config" / "aios" / "config.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    return write


def test_environment_goes_before_project_before_user_before_default(
    project: Write, user: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sources.found(settings.PORT) == sources.Found(value=8642, source="default")
    of_user = user("[server]\nport = 1\n")
    assert sources.found(settings.PORT) == sources.Found(value=1, source=str(of_user))
    of_project = project("[server]\nport = 2\n")
    assert sources.found(settings.PORT) == sources.Found(value=2, source=str(of_project))
    monkeypatch.setenv("AIOS_PORT", "3")
    assert sources.found(settings.PORT) == sources.Found(value=3, source="environment AIOS_PORT")


def test_a_command_takes_what_files_say_unless_a_flag_or_a_variable_says_else(
    project: Write, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    project('[client]\noutput = "json"\n')
    assert json.loads(run("config", "show")[1])[0]["setting"] == "server.host"
    assert run("config", "show", "-o", "yaml")[1].startswith("- setting: server.host\n")
    monkeypatch.setenv("AIOS_OUTPUT", "table")
    assert run("config", "show")[1].startswith("SETTING ")


def test_show_tells_each_value_and_its_source_but_no_secret(
    user: Write, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = user('[kernel]\nmodel = "org/model"\n[server.aliases]\n"gpt-*" = "pocket"\n')
    monkeypatch.setenv("AIOS_TOKEN", "aios-0123")
    told = {one["setting"]: one for one in json.loads(run("config", "show", "-o", "json")[1])}
    assert told["kernel.model"] == {
        "setting": "kernel.model", "value": "org/model", "from": str(file)
    }  # fmt: skip
    assert told["server.aliases"]["value"] == {"gpt-*": "pocket"}
    assert told["client.token_file"]["value"] == "(set)"
    shown = run("config", "show")[1]
    assert "gpt-*=pocket" in shown
    assert "aios-0123" not in shown
    assert run("config", "path")[1] == f"{file}\n"


def test_where_no_file_is_the_place_of_one_is_told(run: Run, place: Path) -> None:
    code, out, err = run("config", "path")
    assert (code, out) == (0, "")
    assert str(place / "config" / "aios" / "config.toml") in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[kernel]\nmodle = 'x'\n", "did you mean 'kernel.model'"),
        ("[servre]\nport = 1\n", "did you mean 'server.port'"),
        ("port = 1\n", "did you mean 'server.port'"),
        ("[client]\ntoken = 'aios-0123'\n", "did you mean 'client.token_file'"),
        ("[server]\nport = true\n", "server.port: Expected `int`"),
        ("[server]\nport = '1'\n", "server.port: Expected `int`"),
        ("[client]\noutput = 'xml'\n", "client.output"),
        ("[server\n", "expected TOML"),
    ],
)
def test_a_mistake_in_a_file_is_one_line_that_names_file_and_setting(
    user: Write, run: Run, text: str, said: str
) -> None:
    file = user(text)
    code, out, err = run("ps")
    assert (code, out) == (1, "")
    assert err.startswith(f"aios: invalid_argument: {file}: ")
    assert said in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("key", ["client.url", "kernel.access", "kernel.sandbox", "server.host"])
def test_a_project_s_file_may_not_say_whom_to_trust(project: Write, user: Write, key: str) -> None:
    table, _, name = key.partition(".")
    text = f'[{table}]\n{name} = "x"\n'
    project(text)
    with pytest.raises(InvalidArgument, match=f"{key} says whom this machine trusts"):
        sources.found(settings.PORT)
    project("")
    user(text)
    assert sources.found(settings.SETTINGS[key]).value == "x"


def test_a_secret_comes_from_a_file_that_a_variable_or_a_setting_names(
    user: Write, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "config" / "aios").mkdir(parents=True)
    (place / "config" / "aios" / "one").write_text("from-settings\n")
    (place / "two").write_text("agent from-variable\n")
    user(
        '[client]\ntoken_file = "one"\nurl = "http://there"\n[kernel]\nembedder_key_file = "one"\n'
    )
    assert place_of("http://x") == ("http://x", "from-settings")
    assert sources.found(settings.EMBEDDER_KEY).value == "from-settings"
    monkeypatch.setenv("AIOS_TOKEN_FILE", str(place / "two"))
    monkeypatch.setenv("OPENAI_API_KEY_FILE", str(place / "two"))
    assert place_of("http://x")[1] == "from-variable"
    assert sources.found(settings.EMBEDDER_KEY).value == "from-variable"
    monkeypatch.setenv("AIOS_TOKEN", "from-environment")
    assert place_of("http://x")[1] == "from-environment"


@pytest.mark.parametrize("text", [None, ""])
def test_a_file_without_a_secret_is_an_error_that_names_the_variable(
    place: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    if text is not None:
        (place / "token").write_text(text)
    monkeypatch.setenv("AIOS_TOKEN_FILE", str(place / "token"))
    with pytest.raises(InvalidArgument, match="AIOS_TOKEN_FILE"):
        sources.found(settings.TOKEN)


def test_paths_in_a_file_are_from_its_own_folder(user: Write, place: Path) -> None:
    user('[kernel]\nstate = "home"\n')
    assert sources.home() == place / "config" / "aios" / "home"


def test_a_file_that_is_named_stands_for_the_user_s(
    user: Write, place: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    user("[server]\nport = 1\n")
    other = place / "other.toml"
    other.write_text("[server]\nport = 70000\n")
    code, _, err = run("serve", "--config", str(other))
    assert code == 2, "what it says is checked as a flag is"
    assert "--port" in err
    monkeypatch.setenv("AIOS_CONFIG", str(other))
    assert sources.found(settings.PORT).value == 70_000
    monkeypatch.setenv("AIOS_CONFIG", str(place / "nix.toml"))
    with pytest.raises(InvalidArgument, match=r"nix\.toml"):
        sources.found(settings.PORT)


def test_values_of_the_environment_are_of_the_setting_s_kind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = [
        (settings.TOOLS, "off", False),
        (settings.DRAIN_S, "2", 2.0),
        (settings.ALLOW_HOST, "a.org b.org:81", ["a.org", "b.org:81"]),
        (settings.ALIASES, "gpt-*=pocket, *=", {"gpt-*": "pocket", "*": ""}),
    ]
    for one, text, value in told:
        monkeypatch.setenv(one.env, text)
        assert sources.found(one).value == value
    monkeypatch.setenv("AIOS_TOOLS", "perhaps")
    with pytest.raises(InvalidArgument, match="AIOS_TOOLS"):
        sources.found(settings.TOOLS)


def test_the_kernel_s_bounds_are_settings(user: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sources.limits() == Limits()
    user("[limits]\nram_bytes = 1000\n")
    monkeypatch.setenv("AIOS_LIMITS_MAIL_MAX", "7")
    assert sources.limits() == Limits(ram_bytes=1_000, mail_max=7)
