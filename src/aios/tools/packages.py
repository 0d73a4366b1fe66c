"""Tools of installed packages: entry points of the group `aios.tools`.

An entry point names a list of functions as the SDK's `@tool` makes them. Its
code runs in the kernel's process, so the operator names the packages: none is taken by itself.
"""

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from aios.errors import InvalidArgument, NotFound
from aios.tools.base import Source
from aios.tools.functions import Function, Functions

GROUP = "aios.tools"


def installed() -> dict[str, EntryPoint]:
    """What is there to be taken, by name. Nothing is imported."""
    return {one.name: one for one in entry_points(group=GROUP)}


def load(package: str, name: str) -> Source:
    """The tools of one entry point under the name of a server. Imports it."""
    known = installed()
    if package not in known:
        raise NotFound(f"no entry point {package!r} of {GROUP}; known: {sorted(known)}")
    try:
        found = known[package].load()
    except Exception as problem:  # Whatever a stranger's import raises.
        raise InvalidArgument(f"{package} cannot be imported: {problem!r}") from problem
    if not isinstance(found, list | tuple):
        raise InvalidArgument(f"{package}: expected a list of tools, got {type(found).__name__}")
    return Functions(cast(Iterable[Function], found), name)
