"""Syscalls as MCP tools: names, schemas and hints derived from the table, never written by hand.

Bytes are told and taken as `text` where they are UTF-8: what speaks MCP speaks for a model.
"""

import codecs
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from aios.access.acts import ACTS
from aios.access.base import Effect
from aios.errors import InvalidArgument
from aios.server.rpc import Body
from aios.syscalls import Syscall, file, memory, note
from aios.syscalls.base import name_of

READ_BYTES = 256 << 10  # of a file or block in one result; `offset` tells the rest
OFFERED: tuple[type[Syscall[Any]], ...] = (
    note.Add, note.Search, note.Get, note.Update, note.Remove, note.Link,
    memory.Read, memory.Write, memory.Append, memory.Blocks, memory.Free,
    file.ReadFile, file.WriteFile, file.AppendFile, file.Edit, file.Folder, file.Stat, file.Move,
    file.Delete, file.SearchFiles, file.Versions, file.Diff, file.RollbackFile,
)  # fmt: skip
TEXT: Body = {"type": "string", "description": "UTF-8 text"}
_REF = "#/$defs/{name}"


@dataclass(frozen=True, slots=True)
class Offer:
    """A syscall that a client may make as a tool."""

    kind: type[Syscall[Any]]
    told: Body  # as `tools/list` tells it


@cache
def offers() -> Mapping[str, Offer]:
    """By the tool's name."""
    return {name: Offer(kind, _told(name, kind)) for kind in OFFERED for name in (_name(kind),)}


def call_of(offer: Offer, arguments: Body) -> Syscall[Any]:
    """The syscall that the arguments mean. Raises `InvalidArgument`, which the model can mend."""
    known = offer.told["inputSchema"]["properties"]
    if strange := sorted(set(arguments) - set(known)):
        raise InvalidArgument(f"unexpected {', '.join(strange)}; expected {', '.join(known)}")
    given = dict(arguments)
    if "text" in given and "data" in offer.kind.__struct_fields__:
        given["data"] = _encoded(given.pop("text"))
    if "length" in known and given.get("length") is None:
        given["length"] = READ_BYTES
    try:
        call: Syscall[Any] = msgspec.convert(given, offer.kind)
    except (msgspec.ValidationError, RecursionError) as problem:
        raise InvalidArgument(str(problem)) from None
    if isinstance(call, memory.Read | file.ReadFile) and (call.length or 0) > READ_BYTES:
        raise InvalidArgument(f"expected a length of at most {READ_BYTES}; read on from an offset")
    return call


def data_of(reply: Any) -> Body:
    """A reply as JSON."""
    found = msgspec.to_builtins(reply, builtin_types=(bytes,))
    assert isinstance(found, dict)
    if isinstance(data := found.pop("data", None), bytes):
        found |= _decoded(data)
    return found


def _name(kind: type[Syscall[Any]]) -> str:
    return name_of(kind).replace(".", "_")


def _told(name: str, kind: type[Syscall[Any]]) -> Body:
    effect = ACTS[kind].effect
    does_nothing = effect in (Effect.NONE, Effect.READ)
    return {
        "name": name,
        "description": inspect.getdoc(kind) or "",
        "inputSchema": _schema(kind),
        "annotations": {
            "readOnlyHint": does_nothing,
            "destructiveHint": effect is Effect.FINAL,
            "openWorldHint": effect is Effect.OUTSIDE,
        },
    }


def _schema(kind: type[Syscall[Any]]) -> Body:
    _, parts = msgspec.json.schema_components([kind], ref_template=_REF)
    own = parts.pop(kind.__name__)
    fields = {name: one for name, one in own["properties"].items() if name != "syscall"}
    required = [name for name in own.get("required", ()) if name != "syscall"]
    if "data" in fields:
        fields = {"text" if name == "data" else name: one for name, one in fields.items()}
        fields["text"] = TEXT
        required = ["text" if name == "data" else name for name in required]
    schema: Body = {"type": "object", "properties": fields, "additionalProperties": False}
    schema |= {"required": required} if required else {}
    return schema | ({"$defs": parts} if parts else {})


def _encoded(text: Any) -> bytes:
    try:
        return str.encode(text)
    except (TypeError, UnicodeEncodeError):
        raise InvalidArgument("expected `text` of valid Unicode") from None


def _decoded(data: bytes) -> Body:
    """Text, without a last character that the reading cut; base64 where it is none."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return {"base64": msgspec.to_builtins(data), "bytes": len(data)}
    return {"text": text, "bytes": len(text.encode())}
