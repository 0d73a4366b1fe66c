"""`agent.toml`: what an agent package is, what it needs, and what it asks for. Strict."""

import ast
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from aios.cli.code import is_module
from aios.cli.started import grant_of
from aios.errors import InvalidArgument

MANIFEST = "agent.toml"
EXPECTED = "a file FILE.py:NAME, package.module:NAME, or a command as a list of words"


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What it needs of the kernel's default model."""

    context_tokens: Annotated[int, Meta(ge=0)] = 0


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An agent package. `tools` it cannot do without; `grants` are as `aios run --grant` has them;
    `environment` holds where the caller's own has nothing of that name."""

    name: Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9._-]*$", max_length=64)]
    version: Annotated[str, Meta(pattern=r"^\d+\.\d+\.\d+([+-][0-9A-Za-z.-]+)?$")]
    description: Annotated[str, Meta(min_length=1, max_length=500)]
    entry: str | tuple[str, ...]
    tools: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()
    model: Model = Model()
    environment: Mapping[str, str] = {}


def manifest_in(folder: Path) -> Manifest:
    """The manifest of a package, whose entry is there. `InvalidArgument` says what is not."""
    path = folder / MANIFEST
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError):
        raise InvalidArgument(f"{folder}: expected an agent package, with {MANIFEST}") from None
    manifest = parsed(text, MANIFEST)
    _check_entry(manifest.entry, folder)
    return manifest


def parsed(text: str, source: str) -> Manifest:
    """The manifest in a TOML text."""
    try:
        manifest = msgspec.convert(tomllib.loads(text), Manifest)
    except tomllib.TOMLDecodeError as problem:
        raise InvalidArgument(f"{source}: expected TOML: {problem}") from None
    except msgspec.ValidationError as problem:
        fields = ", ".join(Manifest.__struct_fields__)
        raise InvalidArgument(f"{source}: {problem}; the keys are {fields}") from None
    for grant in manifest.grants:
        grant_of(grant)
    return manifest


def _check_entry(entry: str | tuple[str, ...], folder: Path) -> None:
    if not isinstance(entry, str):
        if not entry:
            raise InvalidArgument(f"{MANIFEST}: entry: expected {EXPECTED}, got an empty list")
        return
    path, _, name = entry.partition(":")
    if not name:
        raise InvalidArgument(f"{MANIFEST}: entry: expected {EXPECTED}, got {entry!r}")
    if not path.endswith(".py"):
        if not is_module(entry):
            raise InvalidArgument(f"{MANIFEST}: entry: expected {EXPECTED}, got {entry!r}")
        return
    file = folder / path
    if not file.resolve().is_relative_to(folder.resolve()) or not file.is_file():
        raise InvalidArgument(f"{MANIFEST}: entry: expected a file of the package, got {path!r}")
    if name not in _names(file):
        raise InvalidArgument(f"{MANIFEST}: entry: {path} defines no {name!r}")


def _names(file: Path) -> set[str]:
    """What a file defines at its top level. It is not run."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError) as problem:
        raise InvalidArgument(f"{file.name}: expected Python: {problem}") from None
    found = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(one.asname or one.name).partition(".")[0] for one in node.names}
        else:
            stored = (one for one in ast.walk(node) if isinstance(one, ast.Name))
            found |= {one.id for one in stored if isinstance(one.ctx, ast.Store)}
    return found
