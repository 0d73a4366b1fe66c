"""Errors in each protocol's own shape, and the status that goes with them. Knows no HTTP server."""

import math
import re
from dataclasses import dataclass
from typing import Any, Literal

from aios.errors import AiosError, Busy, DeadlineExceeded, InvalidArgument, ShuttingDown
from aios.server.rpc import Problem, failed

Shape = Literal["openai", "anthropic", "native", "rpc"]


class Refused(InvalidArgument):
    """The request as such cannot be taken: its size, its path, its method, its pace."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class _Kind:
    """How an error is told: the status, OpenAI's type and code, Anthropic's type."""

    status: int
    openai: str
    openai_code: str | None
    anthropic: str


_INVALID = _Kind(400, "invalid_request_error", None, "invalid_request_error")
_BROKEN = _Kind(500, "server_error", "error", "api_error")
KINDS: dict[str, _Kind] = {
    "error": _BROKEN,
    "invalid_argument": _INVALID,
    "not_found": _Kind(404, "invalid_request_error", "not_found", "not_found_error"),
    "denied": _Kind(403, "permission_error", "denied", "permission_error"),
    "unauthenticated": _Kind(
        401, "invalid_request_error", "invalid_api_key", "authentication_error"
    ),
    "wrong_state": _Kind(409, "invalid_request_error", "wrong_state", "invalid_request_error"),
    "conflict": _Kind(409, "invalid_request_error", "conflict", "invalid_request_error"),
    "diverged": _Kind(409, "invalid_request_error", "diverged", "invalid_request_error"),
    "busy": _Kind(429, "rate_limit_error", "rate_limit_exceeded", "rate_limit_error"),
    "quota_exceeded": _Kind(429, "insufficient_quota", "insufficient_quota", "rate_limit_error"),
    "outcome_unknown": _Kind(409, "invalid_request_error", "outcome_unknown", "api_error"),
    "no_space": _Kind(507, "server_error", "no_space", "api_error"),
    "deadline_exceeded": _Kind(429, "rate_limit_error", "deadline_exceeded", "rate_limit_error"),
    "cancelled": _Kind(409, "invalid_request_error", "cancelled", "invalid_request_error"),
    "core_failed": _Kind(502, "server_error", "core_failed", "api_error"),
    "damaged": _Kind(502, "server_error", "damaged", "api_error"),
    "shutting_down": _Kind(503, "server_error", "shutting_down", "overloaded_error"),
}
NATIVE_STATUS = {"deadline_exceeded": 408}  # There the time limit is the caller's own.
TRY_AGAIN = frozenset({"busy", "deadline_exceeded", "shutting_down", "core_failed"})
_PLACE = re.compile(r" - at `\$\.?(?P<place>.*)`$")


def status_of(error: AiosError, shape: Shape) -> int:
    """The HTTP status."""
    if isinstance(error, Refused | Problem) and error.status:
        return error.status
    kind = KINDS.get(error.code, _BROKEN)
    return NATIVE_STATUS.get(error.code, kind.status) if shape == "native" else kind.status


def body_of(error: AiosError, shape: Shape) -> dict[str, Any]:
    """The reply's body."""
    kind = KINDS.get(error.code, _BROKEN)
    if shape == "anthropic":
        return {"type": "error", "error": {"type": kind.anthropic, "message": error.message}}
    if shape == "rpc":
        return failed(None, error)
    if shape == "native":
        return {"error": {"code": error.code, "message": error.message} | _details(error)}
    place = _PLACE.search(error.message)
    return {
        "error": {
            "message": error.message,
            "type": kind.openai,
            "param": place["place"] or None if place else None,
            "code": kind.openai_code,
        }
    }


def retry_headers(error: AiosError) -> dict[str, str]:
    """Whether and when a client should try again; its own guess would multiply the load."""
    headers = {"x-should-retry": "true" if error.code in TRY_AGAIN else "false"}
    if isinstance(error, Busy):
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after_s)))
    elif isinstance(error, DeadlineExceeded | ShuttingDown):
        headers["retry-after"] = "5"
    return headers


def _details(error: AiosError) -> dict[str, Any]:
    """What else a native client rebuilds the error from."""
    names = ("retry_after_s", "base", "current")
    return {name: value for name in names if (value := getattr(error, name, None)) is not None}
