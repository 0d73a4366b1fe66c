"""A manifest of commands: TOML to checked data. Knows no sandbox and runs nothing.

    [count_words]
    description = "Count the words of a file."
    argv = ["wc", ["-{unit}"], "{path}"]
    files = ["{path}"]
    reads = ["file:{path}"]

    [count_words.parameters]
    required = ["path"]
    properties.path = { type = "string" }
    properties.unit = { enum = ["w", "l"] }

Each table is a tool. An element of `argv` in which a parameter stands that was left out is left
out; a list in `argv` is left out as a whole. An element that is a parameter and nothing else stands
for all items where the argument is an array.
"""

import tomllib
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from aios.errors import InvalidArgument
from aios.syscalls.terms import NamedTerms
from aios.tools.base import Terms, alike, touches_of

BYTES_MAX = 1 << 20
Element = str | tuple[str, ...]


class Command(NamedTerms, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One tool. `files` are the caller's own, by path, brought into the workspace; files that
    `collect` names are kept in the caller's root. `output` json is given as data; `secrets`
    are handed over as environment variables of the same names."""

    description: str
    argv: Annotated[tuple[Element, ...], Meta(min_length=1)]
    parameters: dict[str, Any] = {}  # noqa: RUF012 - a Struct copies it
    stdin: str = ""
    files: tuple[str, ...] = ()
    collect: tuple[str, ...] = ()
    output: Literal["text", "json"] = "text"
    network: tuple[str, ...] = ()  # `host:port` that it may connect to
    environment: dict[str, str] = {}  # noqa: RUF012 - likewise
    memory_bytes: Annotated[int, Meta(ge=1 << 20)] = 512 << 20
    timeout_s: Annotated[float, Meta(gt=0, le=86_400)] = 30.0
    source: str | None = None  # type: ignore[assignment]  # None: the command itself

    def terms(self, name: str) -> Terms:
        own = {
            "touches": touches_of(self),
            "inside": True,
            "outside": self.outside or bool(self.network),
            "source": name if self.source is None else self.source,
        }
        return Terms(**(alike(self) | own))

    @property
    def program(self) -> dict[str, Any]:
        """All that it says, as data."""
        told: dict[str, Any] = msgspec.to_builtins(self)
        return told

    @property
    def schema(self) -> dict[str, Any]:
        """The parameters as a JSON schema that knows no others."""
        return {"type": "object", "properties": {}, "additionalProperties": False} | self.parameters


def read_manifest(data: bytes, place: str) -> dict[str, Command]:
    """Commands by name. Raises `InvalidArgument` that names the place, the table and the field."""
    if len(data) > BYTES_MAX:
        raise InvalidArgument(f"{place}: expected at most {BYTES_MAX:,} bytes, got {len(data):,}")
    try:
        tables = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise InvalidArgument(f"{place}: expected TOML: {problem}") from None
    found: dict[str, Command] = {}
    for name, table in tables.items():
        try:
            found[name] = msgspec.convert(table, Command)
        except msgspec.ValidationError as problem:
            raise InvalidArgument(f"{place}: [{name}] {problem}") from None
    if not found:
        raise InvalidArgument(f"{place}: expected a table for each tool, got none")
    return found
