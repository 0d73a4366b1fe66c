"""Which MCP a request speaks, and whether it keeps that one's rules. Pure.

The present protocol has no sessions: each request says in its own body what its headers repeat, so
that whatever stands between may route by them. The earlier ones begin with `initialize`.
"""

import base64
import binascii
import re
from collections.abc import Callable

from aios.server.rpc import PARAMS, Problem, Request

MODERN = ("2026-07-28",)
HANDSHAKE = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
UNNAMED = "2025-03-26"  # what a client means that names no version
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
CLIENT_KEY = "io.modelcontextprotocol/clientCapabilities"
SERVER_KEY = "io.modelcontextprotocol/serverInfo"
HEADER_MISMATCH, UNSUPPORTED = -32020, -32022
_BASE64 = re.compile(r"=\?base64\?(?P<payload>.*)\?=", re.IGNORECASE)
Header = Callable[[str], str]


def is_modern(header: Header, request: Request) -> bool:
    """Whether the request is of the present protocol, by its header or by what it says itself."""
    if header("mcp-protocol-version") in MODERN:
        return True
    meta = request.params.get("_meta")
    return isinstance(meta, dict) and VERSION_KEY in meta


def check_modern(header: Header, request: Request) -> None:
    """Raise what is wrong with the envelope of a request of the present protocol."""
    meta = request.params.get("_meta")
    if not isinstance(meta, dict) or not {VERSION_KEY, CLIENT_KEY} <= meta.keys():
        raise Problem(PARAMS, f"expected params._meta with {VERSION_KEY} and {CLIENT_KEY}")
    told = {
        "mcp-protocol-version": meta[VERSION_KEY],
        "mcp-method": request.method,
        "mcp-name": request.params.get("name") if request.method == "tools/call" else None,
    }
    for name, value in told.items():
        if isinstance(value, str) and _plain(header(name)) != value:
            raise Problem(
                HEADER_MISMATCH, f"expected {name} to repeat what the body says", status=400
            )
    check_version(str(meta[VERSION_KEY])[:100], MODERN)


def check_version(version: str, known: tuple[str, ...]) -> None:
    """Raise where that version is none of `known`."""
    if version not in known:
        supported = [*HANDSHAKE, *MODERN]
        raise Problem(
            UNSUPPORTED,
            f"unsupported protocol version; expected one of {', '.join(supported)}",
            {"supported": supported, "requested": version},
            status=400,
        )


def _plain(value: str) -> str | None:
    """A header's value, which is base64 where it could not be sent as it is."""
    wrapped = _BASE64.fullmatch(value)
    if wrapped is None:
        return value
    try:
        return base64.b64decode(wrapped["payload"], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
