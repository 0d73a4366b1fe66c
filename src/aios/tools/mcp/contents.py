"""What a server's tool gave, as contents of the kernel. Pure. Knows no connection."""

import base64
import binascii
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from aios.syscalls.tool import Content, Image, Json, Text
from aios.tools.base import Ran

if TYPE_CHECKING:
    from mcp_types import CallToolResult

CONTENTS_MAX = 256


def ran_of(result: "CallToolResult", sandbox: str) -> Ran:
    """The result, typed; what there is no type for is told of in words."""
    blocks = result.content[:CONTENTS_MAX]
    contents = [_CONTENT[block.type](block) for block in blocks]
    contents = _with_data(contents, result.structured_content)
    left_out = len(result.content) - len(blocks)
    remarks = (f"cut: {left_out:,} more contents were left out",) if left_out > 0 else ()
    return Ran(contents=tuple(contents), is_error=result.is_error, remarks=remarks, sandbox=sandbox)


def _with_data(contents: list[Content], data: Any) -> list[Content]:
    """Data once: a server tells it as text too, for clients that know text alone."""
    if data is None:
        return contents
    if isinstance(data, dict) and data.keys() == {"result"}:  # How a plain value is wrapped.
        value = data["result"]
        if any(_says(one, value) or one == Text(value) for one in contents):
            return contents
    return [Json(data), *(one for one in contents if not _says(one, data))]


def _says(one: Content, value: Any) -> bool:
    if not isinstance(one, Text):
        return False
    try:
        return bool(msgspec.json.decode(one.text) == value)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return False


def _text(block: Any) -> Content:
    return Text(block.text)


def _image(block: Any) -> Content:
    return _bytes(block.data, block.mime_type, "an image")


def _sound(block: Any) -> Content:
    return Text(f"[a sound, {block.mime_type}, {_size(block.data):,} bytes; it cannot be told]")


def _link(block: Any) -> Content:
    told = {
        "resource": block.uri,
        "name": block.name,
        "description": block.description,
        "media_type": block.mime_type,
        "bytes": block.size,
    }
    return Json({name: value for name, value in told.items() if value is not None})


def _resource(block: Any) -> Content:
    inner = block.resource
    if hasattr(inner, "text"):
        return Text(inner.text)
    return _bytes(inner.blob, inner.mime_type or "application/octet-stream", "a resource")


_CONTENT: dict[str, Callable[[Any], Content]] = {
    "text": _text,
    "image": _image,
    "audio": _sound,
    "resource_link": _link,
    "resource": _resource,
}


def _bytes(encoded: str, media_type: str, what: str) -> Content:
    if not media_type.startswith("image/"):
        return Text(f"[{what}, {media_type}, {_size(encoded):,} bytes; it cannot be told]")
    try:
        return Image(base64.b64decode(encoded, validate=True), media_type)
    except (binascii.Error, ValueError):
        return Text(f"[{what}, {media_type}, which is not base64]")


def _size(encoded: str) -> int:
    return len(encoded) * 3 // 4
