"""JSON-RPC 2.0 as MCP and A2A send it: one request a body. Knows no method and no HTTP."""

from typing import Any, Literal

import msgspec

from aios.errors import AiosError

PARSE, INVALID, NO_METHOD, PARAMS, INTERNAL = -32700, -32600, -32601, -32602, -32603
STATUSES = {PARSE: 400, INVALID: 400, PARAMS: 400, NO_METHOD: 404}
OWN = -32000  # an error of the kernel; its data tells which
Id = int | str | None
Body = dict[str, Any]


class Problem(AiosError):
    """What is wrong with a request as such, by JSON-RPC's number."""

    code = "invalid_argument"

    def __init__(self, number: int, message: str, data: Any = None, *, status: int = 0) -> None:
        super().__init__(message)
        self.number = number
        self.data = data
        self.status = status  # 0: as the protocol has it


class Request(msgspec.Struct, frozen=True):
    """One request, or a notification where it has no id."""

    jsonrpc: Literal["2.0"]
    method: str
    id: int | str | msgspec.UnsetType = msgspec.UNSET
    params: dict[str, Any] = {}

    @property
    def is_notification(self) -> bool:
        return self.id is msgspec.UNSET

    @property
    def answer_id(self) -> Id:
        return None if isinstance(self.id, msgspec.UnsetType) else self.id


_decoder = msgspec.json.Decoder(Request)


def request_of(body: bytes) -> Request:
    """The one request in `body`; a `Problem` that says what was expected."""
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError as problem:
        if body.lstrip()[:1] == b"[":
            raise Problem(INVALID, "expected one request, not a batch", status=400) from None
        raise Problem(INVALID, f"expected a JSON-RPC request: {problem}", status=400) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise Problem(PARSE, f"expected JSON: {problem}", status=400) from None


def answered(id: Id, result: Any) -> Body:
    return {"jsonrpc": "2.0", "id": id, "result": result}


def failed(id: Id, error: AiosError) -> Body:
    """The answer that tells an error."""
    if isinstance(error, Problem):
        told: Body = {"code": error.number, "message": error.message}
        told |= {} if error.data is None else {"data": error.data}
    else:
        told = {"code": OWN, "message": error.message, "data": {"code": error.code}}
    return {"jsonrpc": "2.0", "id": id, "error": told}
