"""`aios policy`: another rule for lanes, while a kernel runs."""

import pytest
import typer

from aios.cli.policy import policy
from aios.cli.remote import ask
from aios.errors import NotFound
from tests.server.house import House


def test_the_policy_in_force_is_shown_and_changed(
    first: House, capsys: pytest.CaptureFixture[str]
) -> None:
    policy(url=first.url)
    assert "rr        yes" in capsys.readouterr().out
    policy("fifo", url=first.url)
    assert "fifo      yes" in capsys.readouterr().out
    policy("rr", slice_tokens=7, url=first.url)
    told = ask(first.url, lambda client: client.scheduler.show())
    assert (told.policy, told.slice_tokens) == ("rr", 7)


def test_how_long_calls_waited_stands_beside_each_policy(
    first: House, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(first.url, lambda client: client.chat("hello"))
    policy(url=first.url)
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("rr"))
    assert row.split()[2] == "1"


def test_what_no_policy_is_called_is_refused_with_those_there_are(first: House) -> None:
    with pytest.raises(NotFound, match="fifo"):
        policy("lifo", url=first.url)
    with pytest.raises(typer.BadParameter, match="name"):
        policy(slice_tokens=5, url=first.url)
