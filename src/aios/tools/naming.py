"""What a tool may be called, and the hash of its definition. Pure."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from aios.errors import InvalidArgument
from aios.syscalls.tool import ToolInfo
from aios.tools.base import Terms

NAME_MAX = 128
SERVER = re.compile(r"[a-z0-9_-]{1,64}")
TOOL = re.compile(r"[A-Za-z0-9_.-]+")
DESCRIPTION_MAX = 1 << 16
PARAMETERS_MAX = 1 << 18


def info_of(
    name: str, description: str, parameters: Mapping[str, Any], terms: Terms, program: Any = None
) -> ToolInfo:
    """How `list` shows a tool of that whole name. Raises `InvalidArgument`."""
    check_name(name)
    return ToolInfo(
        name=name,
        description=description,
        parameters=dict(parameters),
        pin=pin_of(name, description, parameters, terms, program),
        repeatable=terms.repeatable,
        final=terms.final,
        outside=terms.outside,
        source=terms.source,
    )


def check_name(name: str) -> None:
    """Raise `InvalidArgument` for what is not `server/tool`."""
    server, _, tool = name.partition("/")
    if not SERVER.fullmatch(server) or not TOOL.fullmatch(tool) or len(name) > NAME_MAX:
        raise InvalidArgument(
            f"{name[:NAME_MAX]!r}: expected server/tool, of small letters, digits, _ and - before "
            f"the stroke, letters, digits, _, . and - after it, {NAME_MAX} characters at most"
        )


def pin_of(
    name: str, description: str, parameters: Mapping[str, Any], terms: Terms, program: Any
) -> str:
    """SHA-256 of all that a model is told, that the tool declares and that it runs, if that is
    data; whatever the order of keys.

    Raises `InvalidArgument` for what is too long to be told, or no data.
    """
    try:
        told = msgspec.json.encode([name, description, parameters], order="sorted")
    except (TypeError, ValueError, OverflowError, RecursionError) as problem:
        raise InvalidArgument(f"{name}: expected a schema that is data: {problem}") from None
    if len(description) > DESCRIPTION_MAX or len(told) > DESCRIPTION_MAX + PARAMETERS_MAX:
        raise InvalidArgument(
            f"{name}: expected a description of at most {DESCRIPTION_MAX:,} characters and a "
            f"schema of at most {PARAMETERS_MAX:,} bytes, got {len(told):,} bytes in all"
        )
    # A function among the terms is the operator's own code, which no pin is about.
    done = msgspec.json.encode([terms, program], order="sorted", enc_hook=lambda code: None)
    return hashlib.sha256(told + done).hexdigest()
