"""The outermost layer: paths as clients write them, one exchange per request, errors told once.

Accepts a base URL with and without /v1, a doubled /v1, and a token in the URL.
"""

import asyncio
import logging
import re
from collections.abc import Sequence
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send

from aios.errors import AiosError, ShuttingDown
from aios.server.asgi import Exchange
from aios.server.wire.errors import Shape, body_of, retry_headers, status_of

LOG = logging.getLogger("aios.server")
KEY = "aios.exchange"  # where the exchange lies in the scope
GONE = 499  # told to nobody, only counted
_AGENT = re.compile(r"^/agents/(?P<token>[^/]+)(?P<rest>/.*)$")
_BARE = re.compile(
    r"^/(?P<surface>chat/completions|completions|responses|messages|models|embeddings)(?=/|$)"
)
LOOKING = ("GET", "HEAD")  # what is still answered while the server drains


class Observer(Protocol):
    """Is told of every exchange, in the task that answers it."""

    def began(self, exchange: Exchange) -> None: ...

    def ended(self, exchange: Exchange) -> None: ...


class Front:
    """An ASGI application around the router."""

    def __init__(self, inner: ASGIApp, *, stem: str, observers: Sequence[Observer] = ()) -> None:
        self._inner = inner
        self._stem = stem
        self._count = 0
        self._observers = observers
        self.is_draining = False  # nothing new begins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        self._count += 1
        exchange = Exchange(scope, receive, send, f"req_{self._stem}{self._count:x}")
        _normalise(scope, exchange)
        exchange.shape = _shape(exchange)
        scope[KEY] = exchange
        now = asyncio.get_running_loop().time
        began = now()
        for one in self._observers:
            one.began(exchange)
        try:
            if self.is_draining and exchange.method not in LOOKING:
                raise ShuttingDown("the kernel is stopping; it takes no more calls")
            await self._inner(scope, receive, send)
        except AiosError as error:
            await _tell(exchange, error)
        except Exception:
            LOG.exception("request %s failed", exchange.request_id)
            await _tell(exchange, AiosError("the server failed; its log has this request's id"))
        finally:
            exchange.seconds = now() - began
            for one in reversed(self._observers):
                one.ended(exchange)


def _normalise(scope: Scope, exchange: Exchange) -> None:
    path: str = scope["path"]
    if match := _AGENT.match(path):
        exchange.path_token, path = match["token"], match["rest"]
    while path.startswith("/v1/v1/"):
        path = path[len("/v1") :]
    if _BARE.match(path):
        path = f"/v1{path}"
    scope["path"] = path
    scope["raw_path"] = path.encode()


def _shape(exchange: Exchange) -> Shape:
    if exchange.path.startswith("/v1/messages"):
        return "anthropic"
    if exchange.path.startswith("/v1/"):
        return "anthropic" if exchange.header("anthropic-version") else "openai"
    return "native"


async def _tell(exchange: Exchange, error: AiosError) -> None:
    """Answer with an error; a reply that has begun can only be broken off."""
    if exchange.is_gone:
        exchange.status = exchange.status or GONE
        return
    if exchange.status:
        return
    body = body_of(error, exchange.shape)
    if exchange.shape == "anthropic":
        body["request_id"] = exchange.request_id
    headers = retry_headers(error)
    status = status_of(error, exchange.shape)
    if status == 401:
        headers["www-authenticate"] = 'Bearer realm="aios"'
    await exchange.reply_json(body, status=status, headers=headers)
