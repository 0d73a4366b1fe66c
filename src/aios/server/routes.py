"""Endpoints by method on one path, on Starlette's router."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from aios.errors import NotFound
from aios.server.asgi import Exchange
from aios.server.front import KEY
from aios.server.wire.errors import Refused

Handler = Callable[[Exchange], Awaitable[None]]
Table = dict[str, Mapping[str, Handler]]  # path -> method -> handler


class Endpoint:
    """One path's handlers as an ASGI application."""

    def __init__(self, path: str, handlers: Mapping[str, Handler]) -> None:
        self._path = path
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange: Exchange = scope[KEY]
        exchange.route = self._path
        handler = self._handlers.get(exchange.method)
        if handler is None:
            known = ", ".join(sorted(self._handlers))
            raise Refused(f"expected {known} on {self._path}, got {exchange.method}", 405)
        await handler(exchange)


def router(table: Table) -> Router:
    """Every endpoint, and an error for every other path."""
    routes = [Route(path, endpoint=Endpoint(path, handlers)) for path, handlers in table.items()]
    return Router(routes, default=_nothing, redirect_slashes=False)


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    exchange: Exchange = scope[KEY]
    raise NotFound(f"nothing is at {exchange.path[:200]}; /docs tells what is")
