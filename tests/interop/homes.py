"""The frameworks' table, and an environment on disk for each, made where it is not there yet."""

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PLACE = Path(os.environ.get("AIOS_INTEROP", ROOT / ".interop"))
INSTALL_S = 1_200
RESERVED = ("settings", "quiet")


class Framework(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table. `pocket` names the programs that the small model is equal to."""

    name: str
    home: Path  # of its environment
    title: str
    version: str
    requires: tuple[str, ...]
    programs: tuple[str, ...]
    overrides: tuple[str, ...] = ()
    pocket: tuple[str, ...] = ()
    python: str = "3.11"
    notes: str = ""  # for the guide: what else must be known
    files: dict[str, str] = {}  # settings, by their place in a home

    @property
    def interpreter(self) -> Path:
        return self.home / "bin/python"

    @property
    def recipe(self) -> str:
        """What the environment was made from, in short."""
        told = repr((self.requires, self.overrides, self.python))
        return hashlib.sha256(told.encode()).hexdigest()


def table() -> dict[str, Framework]:
    """Every framework by its name, in the table's order."""
    rows = {name: row for name, row in _read().items() if name not in RESERVED}
    return {name: _framework(name, row) for name, row in rows.items()}


def quiet() -> dict[str, str]:
    """What asks frameworks not to report to their makers."""
    return dict(_read()["quiet"])


def environment(framework: Framework, url: str, token: str, home: Path) -> dict[str, str]:
    """All that a program is told: where the kernel is, who it is, and a home of its own."""
    read = _read()
    settings = {name: _set(value, url, token) for name, value in read["settings"].items()}
    for place, text in framework.files.items():
        (home / place).parent.mkdir(parents=True, exist_ok=True)
        (home / place).write_text(_set(text, url, token))
    base = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "TERM": "dumb"}
    return base | read["quiet"] | settings


def make(framework: Framework) -> None:
    """Install the framework into its environment, unless it is there."""
    stamp = framework.home / "recipe"
    if not stamp.exists() or stamp.read_text() != framework.recipe:
        _make(framework)
        stamp.write_text(framework.recipe)


def _framework(name: str, row: Mapping[str, Any]) -> Framework:
    exact = [one.format(version=row["version"]) for one in row["requires"]]
    given = {**row, "name": name, "home": PLACE / name, "requires": exact}
    return msgspec.convert(given, Framework)


def _set(text: str, url: str, token: str) -> str:
    return text.replace("{url}", url).replace("{token}", token)


def _read() -> dict[str, dict[str, Any]]:
    return tomllib.loads((HERE / "frameworks.toml").read_text())


def _make(framework: Framework) -> None:
    print(f"installing {framework.title} {framework.version}", file=sys.stderr, flush=True)
    uv = _uv()
    overrides = framework.home / "overrides.txt"
    _run(uv, "venv", "--quiet", "--clear", "--python", framework.python, str(framework.home))
    overrides.write_text("\n".join(framework.overrides))
    _run(
        uv, "pip", "install", "--quiet", "--python", str(framework.interpreter),
        "--override", str(overrides), *framework.requires,
    )  # fmt: skip


def _uv() -> str:
    """The installer: pip has no way to override what a package demands of another."""
    found = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if found:
        return found
    home = PLACE / ".uv"
    _run(sys.executable, "-m", "venv", str(home))
    _run(str(home / "bin/pip"), "install", "--quiet", "uv")
    return str(home / "bin/uv")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=INSTALL_S, stdin=subprocess.DEVNULL)
