"""`aios doctor`: each line says what is there, and what to do where it is not."""

from pathlib import Path

from aios.cli.check import Check
from aios.cli.doctor import folder, line, package


def test_a_line_without_advice_is_ok() -> None:
    assert line(Check("cores", "2")) == "ok       cores: 2"


def test_a_line_with_advice_says_what_is_missing_and_what_to_do() -> None:
    shown = line(Check("torch", "not installed", "install it"))
    assert shown == "missing  torch: not installed; install it"


def test_a_package_that_is_not_there_is_missing() -> None:
    assert package("msgspec").advice == ""
    assert "pip install" in package("no-such-package").advice


def test_a_folder_needs_room(tmp_path: Path) -> None:
    assert folder("here", tmp_path, bytes_min=1).advice == ""
    assert "free" in folder("here", tmp_path, bytes_min=1 << 60).advice


def test_a_folder_that_cannot_be_written_is_missing(tmp_path: Path) -> None:
    assert folder("nowhere", tmp_path / "nix", bytes_min=1).advice
