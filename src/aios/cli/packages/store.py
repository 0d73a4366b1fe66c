"""Installed packages: a folder each, with a note of where it came from; and the ways to get one."""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from aios.cli import places
from aios.cli.packages.archive import SUFFIX, copy, unpack
from aios.cli.packages.manifest import MANIFEST, Manifest, manifest_in
from aios.errors import InvalidArgument, NotFound

NOTE = ".installed.json"
GIT_S = 300.0
GIT_STARTS = ("git+", "git@", "ssh://", "git://")


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Where a package came from; `pin` is a commit or an archive's hash, empty for a folder's."""

    source: str
    pin: str


class Installed(msgspec.Struct, frozen=True, kw_only=True):
    """A package as `aios agents list` shows it."""

    manifest: Manifest
    note: Note


def folder_of(name: str) -> Path:
    return places.data() / "agents" / name


def is_installed(name: str) -> bool:
    is_name = not {"/", ":", ".."} & {*name, name}
    return is_name and (folder_of(name) / MANIFEST).is_file()


def installed() -> list[Installed]:
    """All of them, by name."""
    base = places.data() / "agents"
    names = sorted(one.name for one in base.iterdir()) if base.is_dir() else []
    return [_found(name) for name in names if is_installed(name) and not name.startswith(".")]


def remove(name: str) -> None:
    if not is_installed(name):
        known = ", ".join(one.manifest.name for one in installed()) or "none"
        raise NotFound(f"no package {name!r} is installed; there is {known}")
    shutil.rmtree(folder_of(name))


def install(source: str, agreed: Callable[[Manifest, Note], bool]) -> Manifest | None:
    """Get a package and put it in the place of an older one; None where nobody agreed to it."""
    base = places.data() / "agents"
    base.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=base) as made:
        new = Path(made, "package")
        new.mkdir()
        note = Note(source=source, pin=_fetch(source, new))
        manifest = manifest_in(new)
        if not agreed(manifest, note):
            return None
        (new / NOTE).write_bytes(msgspec.json.encode(note))
        place = folder_of(manifest.name)
        if place.exists():
            place.rename(Path(made, "old"))
        new.rename(place)
    return manifest


def _found(name: str) -> Installed:
    folder = folder_of(name)
    note = msgspec.json.decode((folder / NOTE).read_bytes(), type=Note)
    return Installed(manifest=manifest_in(folder), note=note)


def _fetch(source: str, into: Path) -> str:
    """Its files; what it is pinned to."""
    path = Path(source)
    if path.is_dir():
        copy(path, into)
        return ""
    if source.endswith(SUFFIX) and path.is_file():
        return unpack(path, into)
    if source.startswith(GIT_STARTS) or "://" in source or source.endswith(".git"):
        return _from_git(source.removeprefix("git+"), into)
    return _from_python(source, into)


def _from_git(source: str, into: Path) -> str:
    """`URL`, or `URL@REF` for a tag or a commit."""
    url, _, ref = source.rpartition("@")
    if not url or "/" in ref or ":" in ref:
        url, ref = source, ""
    if ref.startswith("-"):
        raise InvalidArgument(f"expected a tag or a commit behind @, got {ref!r}")
    with _checkout() as place:
        _git("clone", "--quiet", "--", url, str(place))
        if ref:
            _git("-C", str(place), "checkout", "--quiet", "--detach", ref)
        copy(place, into)
        return _git("-C", str(place), "rev-parse", "HEAD").strip()


@contextmanager
def _checkout() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="aios-agent-") as made:
        yield Path(made, "package")


def _git(*words: str) -> str:
    try:
        done = subprocess.run(
            ["git", *words],
            capture_output=True,
            text=True,
            timeout=GIT_S,
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
        )
    except FileNotFoundError:
        raise NotFound("expected the command git, to get a package from a git URL") from None
    except subprocess.TimeoutExpired:
        raise InvalidArgument(f"git {words[0]} took more than {GIT_S:g} s") from None
    if done.returncode:
        raise InvalidArgument(f"git {' '.join(words[-2:])}: {done.stderr.strip()[-500:]}")
    return done.stdout


def _from_python(source: str, into: Path) -> str:
    """The manifest that an installed Python package brings; its code stays where it is."""
    spec = importlib.util.find_spec(source) if source.isidentifier() else None
    place = next(iter((spec and spec.submodule_search_locations) or ()), None)
    if place is None or not Path(place, MANIFEST).is_file():
        raise NotFound(
            f"{source!r}: expected a folder, an archive, a git URL, or an installed Python package "
            f"with {MANIFEST}"
        )
    (into / MANIFEST).write_bytes(Path(place, MANIFEST).read_bytes())
    return ""
