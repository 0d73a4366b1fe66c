"""What lies on disk for the server: tokens, and the record of where it runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aios.errors import InvalidArgument, NotFound
from aios.server import tokens
from aios.server.record import Record, find, kept

HERE = Record(url="http://127.0.0.1:1", token="t", pid=os.getpid())
LATER = Record(url="http://127.0.0.1:2", token="u", pid=os.getppid())


def test_a_first_token_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "config" / "tokens"
    first = tokens.read_or_make(path)
    assert list(first.values()) == ["default"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert tokens.read_or_make(path) == first


def test_a_file_names_an_agent_a_line(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text("# comment\n\nwriter aios-0123456789abcdef\ncook   aios-fedcba9876543210\n")
    path.chmod(0o600)
    assert tokens.read(path) == {
        "aios-0123456789abcdef": "writer",
        "aios-fedcba9876543210": "cook",
    }


@pytest.mark.parametrize(
    "text", ["writer\n", "writer short\n", "a 0123456789abcdef\nb 0123456789abcdef\n", "a b c\n"]
)
def test_a_line_that_is_wrong_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tokens"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(InvalidArgument, match="line"):
        tokens.read(path)


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text("")
    path.chmod(0o644)
    with pytest.raises(InvalidArgument, match="chmod 600"):
        tokens.read(path)
    with pytest.raises(NotFound):
        tokens.read(tmp_path / "nix")


def test_a_record_is_there_while_the_server_is_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "run" / "server.json"
    with kept(HERE, path):
        assert find(path) == HERE
        assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(NotFound, match="aios serve"):
        find(path)


def test_a_later_servers_record_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "server.json"
    with kept(HERE, path):
        second = kept(LATER, path)
        second.__enter__()
    assert find(path) == LATER


def test_a_server_that_goes_on_is_found_again_when_a_later_one_has_ended(tmp_path: Path) -> None:
    path = tmp_path / "server.json"
    with kept(HERE, path):
        with kept(LATER, path):
            assert find(path) == LATER
        assert find(path) == HERE
    with pytest.raises(NotFound):
        find(path)


def test_the_record_of_a_server_that_was_killed_is_none(tmp_path: Path) -> None:
    path = tmp_path / "server.json"
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    dead = Record(url="http://127.0.0.1:3", token="v", pid=ended.pid)
    kept(dead, path).__enter__()
    with pytest.raises(NotFound, match="aios serve"):
        find(path)
    with kept(HERE, path):
        assert find(path) == HERE
    assert not path.exists()
