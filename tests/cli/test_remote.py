"""Commands on a running kernel, over its socket: where they look for it, and what they write."""

import json

import pytest

from aios.cli.remote import Form, ask, show
from aios.errors import InvalidArgument, NotFound
from tests.server.house import House


def test_a_kernel_is_asked_where_url_and_token_say(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIOS_TOKEN", home.token)
    assert ask(home.url, lambda client: client.whoami()).name == "agent"


def test_a_token_may_come_from_a_file(
    home: House, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    file = f"{tmp_path}/token"
    with open(file, "w") as secret:
        secret.write(f"{home.token}\n")
    monkeypatch.setenv("AIOS_TOKEN_FILE", file)
    assert ask(home.url, lambda client: client.whoami()).name == "agent"


def test_a_url_without_a_token_says_what_is_missing(home: House) -> None:
    with pytest.raises(InvalidArgument, match="AIOS_TOKEN"):
        ask(home.url, lambda client: client.whoami())


def test_a_url_without_its_scheme_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIOS_TOKEN", "x")
    with pytest.raises(InvalidArgument, match="such as http://"):
        ask("127.0.0.1:8642", lambda client: client.whoami())


@pytest.mark.usefixtures("home")
def test_where_no_kernel_runs_the_error_says_how_to_start_one() -> None:
    with pytest.raises(NotFound, match="aios serve"):
        ask("", lambda client: client.whoami())


def test_a_result_is_columns_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    show(Form.TABLE, None, ("NAME", "N"), [("long name", "1"), ("x", "22")])
    assert capsys.readouterr().out == "NAME       N\nlong name  1\nx          22\n"
    show(Form.JSON, {"a": [1]}, (), ())
    assert json.loads(capsys.readouterr().out) == {"a": [1]}
