"""The head of a request to the proxy, read once and strictly, and what is passed on of it. Pure."""

import base64
import binascii
import re

import msgspec

from aios.errors import InvalidArgument, Unauthenticated
from aios.sandbox.targets import Target, target

HEAD_BYTES_MAX = 16 << 10
BODY_BYTES_MAX = 1 << 40  # a number that is no number of bytes; the job's own bound is far below
_LINE = re.compile(rb"([A-Z]{1,20}) ([\x21-\x7e]+) HTTP/1\.[01]")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\x80-\xff\t]*)")
_LENGTH = re.compile(r"[0-9]{1,13}")
_SCHEME = "http://"
_ONCE = ("content-length", "proxy-authorization", "host")
# Between the program and the proxy alone; what a `Connection` field names goes with them.
_NOT_PASSED = frozenset(
    {
        "connection", "host", "keep-alive", "proxy-authenticate", "proxy-authorization",
        "proxy-connection", "te", "trailer", "upgrade",
    }
)  # fmt: skip


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a program asks for: a tunnel, or one plain request with a body of a known length."""

    target: Target
    token: str
    method: str
    is_tunnel: bool
    head: bytes = b""  # of the request to the origin
    body_bytes: int = 0


def request_of(head: bytes) -> Request:
    """Read everything up to the empty line. Raises `InvalidArgument`, `Unauthenticated`."""
    first, *rest = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    line = _LINE.fullmatch(first)
    if line is None:
        raise InvalidArgument("expected 'METHOD target HTTP/1.1' in one line")
    method, where = line[1].decode(), line[2].decode()
    fields = [_field(text) for text in rest]
    for name in _ONCE:
        if sum(name == one for one, _ in fields) > 1:
            raise InvalidArgument(f"expected one {name}, got several")
    known = dict(fields)
    token = _token(known.get("proxy-authorization", ""))
    if method == "CONNECT":
        return Request(target=target(where), token=token, method=method, is_tunnel=True)
    if "transfer-encoding" in known:
        raise InvalidArgument("expected a body with Content-Length, not in chunks")
    length = known.get("content-length", "0")
    if _LENGTH.fullmatch(length) is None or int(length) > BODY_BYTES_MAX:
        raise InvalidArgument(f"expected a number of bytes as Content-Length, got {length[:40]!r}")
    to, path = _plain(where)
    return Request(
        target=to,
        token=token,
        method=method,
        is_tunnel=False,
        head=_passed_on(method, to, path, fields),
        body_bytes=int(length),
    )


def _field(text: bytes) -> tuple[str, str]:
    found = _FIELD.fullmatch(text)
    if found is None:
        raise InvalidArgument(f"expected a header field, got {text[:60]!a}")
    return found[1].decode().lower(), found[2].decode("latin-1").strip(" \t")


def _token(field: str) -> str:
    """The password of `Basic`; the user's name before it is anything."""
    kind, _, given = field.partition(" ")
    if kind.lower() != "basic":
        raise Unauthenticated("expected Proxy-Authorization: Basic with this job's token")
    try:
        plain = base64.b64decode(given.strip(), validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Unauthenticated("expected 'name:token' in base64") from error
    return plain.partition(":")[2]


def _plain(where: str) -> tuple[Target, str]:
    if where[: len(_SCHEME)].lower() != _SCHEME:
        raise InvalidArgument(f"expected http://host/path or CONNECT, got {where[:60]!a}")
    rest = where[len(_SCHEME) :]
    end = next((at for at, sign in enumerate(rest) if sign in "/?#"), len(rest))
    path = rest[end:].partition("#")[0]
    return target(rest[:end], default_port=80), path if path.startswith("/") else f"/{path}"


def _passed_on(method: str, to: Target, path: str, fields: list[tuple[str, str]]) -> bytes:
    """The request as the origin gets it: to the host that was checked, and the only one."""
    named = ",".join(value for name, value in fields if name == "connection")
    # Never the length: the origin would take the body for a second request, to any host it likes.
    dropped = _NOT_PASSED | {name.strip().lower() for name in named.split(",")} - {"content-length"}
    kept = [f"{name}: {value}" for name, value in fields if name not in dropped]
    host = str(to).removesuffix(":80")
    lines = [f"{method} {path} HTTP/1.1", f"host: {host}", *kept, "connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1")
