"""The agent or program that a target names: FILE.py, FILE.py:NAME or package.module:NAME."""

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from aios.errors import InvalidArgument, NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Runnable:
    """A program of a file: `id` tells it and its argument from all others in one home."""

    id: str
    name: str
    program: Any
    argument: str


def runnable(target: str, argument: str) -> Runnable:
    """What a target names; without a name, the only agent in the file, or its `program`."""
    path, _, name = target.partition(":")
    file = Path(path).resolve()
    module = _load(file) if file.is_file() else _imported(path, name)
    found = _public(module)
    if not name:
        name = _only(found, path)
    if not callable(found.get(name)):
        there = ", ".join(sorted(found)) or "none"
        raise NotFound(f"nothing to run by the name {name!r} in {path}; there is {there}")
    program = found[name]
    place = file if file.is_file() else path
    return Runnable(
        id=f"{place}:{name}({argument!r})",
        name=str(getattr(program, "name", name)),
        program=program,
        argument=argument,
    )


def text_of(result: Any) -> str:
    """A result as it is printed."""
    import msgspec

    return result if isinstance(result, str) else msgspec.json.encode(result).decode()


def is_module(target: str) -> bool:
    """Whether it is written as package.module:NAME."""
    path, _, name = target.partition(":")
    return name.isidentifier() and all(part.isidentifier() for part in path.split("."))


def _imported(path: str, name: str) -> ModuleType:
    if not is_module(f"{path}:{name}") or path.endswith(".py"):
        raise NotFound(f"no file {path!r}; expected FILE.py, FILE.py:NAME or package.module:NAME")
    sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as problem:
        raise NotFound(f"no module {problem.name!r}; is it installed in this Python?") from None


def _load(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise InvalidArgument(f"expected a Python file, got {file.name!r}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module  # Where its own functions look for their types.
    sys.path.insert(0, str(file.parent))
    spec.loader.exec_module(module)
    return module


def _public(module: ModuleType) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if not name.startswith("_")}


def _only(found: Mapping[str, Any], path: str) -> str:
    agents = [name for name, value in found.items() if _is_agent(value)]
    if not agents and "program" in found:
        return "program"
    if len(agents) != 1:
        raise InvalidArgument(f"expected one agent in {path}, got {agents}; name one: {path}:NAME")
    return agents[0]


def _is_agent(value: Any) -> bool:
    return not isinstance(value, type) and isinstance(getattr(value, "definition", None), str)
