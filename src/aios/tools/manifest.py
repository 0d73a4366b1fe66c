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
from aios.tools.base import Terms, Touch

BYTES_MAX = 1 << 20
Element = str | tuple[str, ...]


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One tool. `files` are the caller's own, by path, brought into the workspace; files that
    `collect` names are kept in the caller's root. `output` json is given as data."""

    description: str
    argv: Annotated[tuple[Element, ...], Meta(min_length=1)]
    parameters: dict[str, Any] = {}
    stdin: str = ""
    files: tuple[str, ...] = ()
    collect: tuple[str, ...] = ()
    output: Literal["text", "json"] = "text"
    network: tuple[str, ...] = ()  # `host:port` that it may connect to
    environment: dict[str, str] = {}
    memory_bytes: Annotated[int, Meta(ge=1 << 20)] = 512 << 20
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    exclusive: tuple[str, ...] = ()
    instances: Annotated[int, Meta(ge=1)] | None = None
    per_minute: Annotated[float, Meta(gt=0)] | None = None
    timeout_s: Annotated[float, Meta(gt=0, le=86_400)] = 30.0
    result_bytes: Annotated[int, Meta(ge=1)] = 256 << 10
    repeatable: bool = False
    retries: Annotated[int, Meta(ge=0, le=10)] = 0
    final: bool = False
    outside: bool = False
    source: str | None = None  # None: the command itself
    secrets: tuple[str, ...] = ()  # handed over as environment variables of the same names
    price: Annotated[float, Meta(ge=0)] = 0.0
    readers: tuple[str, ...] | None = None
    recipients: tuple[str, ...] = ()
    sensitive: tuple[str, ...] | None = None

    def terms(self, name: str) -> Terms:
        reads = (Touch(one, "read") for one in self.reads)
        writes = (Touch(one, "write") for one in (*self.writes, *self.exclusive))
        return Terms(
            touches=(*reads, *writes),
            inside=True,
            instances=self.instances,
            per_minute=self.per_minute,
            timeout_s=self.timeout_s,
            result_bytes=self.result_bytes,
            repeatable=self.repeatable,
            retries=self.retries,
            final=self.final,
            outside=self.outside or bool(self.network),
            source=name if self.source is None else self.source,
            secrets=self.secrets,
            price=self.price,
            readers=self.readers,
            recipients=self.recipients,
            sensitive=self.sensitive,
        )

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
