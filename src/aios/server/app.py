"""The HTTP application: which path is answered by what. Wires, and does nothing itself."""

from starlette.types import ASGIApp, Receive, Scope, Send

from aios.errors import ShuttingDown
from aios.kernel import Kernel
from aios.server import openapi
from aios.server.asgi import Exchange
from aios.server.auth import Identities
from aios.server.feed import Feed
from aios.server.front import Front
from aios.server.health import Health
from aios.server.metrics import Metrics
from aios.server.native import Native
from aios.server.routes import Table, router
from aios.server.served import Served
from aios.server.settings import Settings
from aios.server.surfaces import Surfaces
from aios.server.turns import Turns
from aios.server.turnstile import Turnstile
from aios.server.wire.aliases import Aliases
from aios.server.wire.chat import Chat
from aios.server.wire.completions import TextCompletion
from aios.server.wire.messages import Messages
from aios.server.wire.stored import ResponsesInMemory


class Application:
    """An ASGI application, and the end of the streams that would never end by themselves."""

    def __init__(self, front: Front, feed: Feed) -> None:
        self._front = front
        self._feed = feed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._front(scope, receive, send)

    def close(self) -> None:
        self._feed.close()


async def application(kernel: Kernel, settings: Settings) -> Application:
    """The whole server over an open kernel."""
    identities = Identities(kernel, settings)
    await identities.open()
    metrics = Metrics(kernel)
    feed = Feed(kernel, identities, settings)
    stem = f"{kernel.environment.random.getrandbits(48):012x}"
    table = _table(kernel, settings, identities) | _own(kernel, feed, metrics)
    front = Front(router(table), stem=stem, began=metrics.began, ended=metrics.ended)
    return Application(front, feed)


class Door:
    """What a listener serves from its first moment: an application that is set when it is ready."""

    def __init__(self) -> None:
        self.inner: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        inner = self.inner or Front(_starting, stem="starting", began=_nobody, ended=_nobody)
        await inner(scope, receive, send)


def _table(kernel: Kernel, settings: Settings, identities: Identities) -> Table:
    """What agents call."""
    served = Served(kernel, Aliases(settings.aliases))
    turns = Turns(kernel, identities, served, settings)
    turnstile = Turnstile(settings.llm_calls_max)
    native = Native(kernel, identities, settings, turnstile)
    admitted = turnstile.around
    surfaces = Surfaces(
        kernel=kernel,
        identities=identities,
        served=served,
        turns=turns,
        store=ResponsesInMemory(
            count_max=settings.responses_max, bytes_max=settings.responses_bytes_max
        ),
    )
    return {
        "/v1/chat/completions": {"POST": admitted(turns.endpoint(Chat))},
        "/api/syscalls/{name}": {"POST": native.syscall},
        "/v1/messages": {"POST": admitted(turns.endpoint(Messages))},
        "/v1/messages/count_tokens": {"POST": surfaces.count_tokens},
        "/v1/responses": {"POST": admitted(surfaces.respond)},
        "/v1/responses/{id}": {"GET": surfaces.response, "DELETE": surfaces.forget_response},
        "/v1/responses/{id}/input_items": {"GET": surfaces.inputs},
        "/v1/completions": {"POST": admitted(turns.endpoint(TextCompletion))},
        "/v1/embeddings": {"POST": surfaces.embeddings},
        "/v1/models": {"GET": surfaces.models},
        "/v1/models/{model:path}": {"GET": surfaces.model},
    }


def _own(kernel: Kernel, feed: Feed, metrics: Metrics) -> Table:
    """What people and their tools look at."""
    health = Health(kernel, metrics)
    return {
        "/api/events": {"GET": feed.events},
        "/openapi.json": {"GET": openapi.openapi},
        "/docs": {"GET": openapi.docs},
        "/health": {"GET": health.alive},
        "/health/ready": {"GET": health.ready},
        "/version": {"GET": health.version},
        "/metrics": {"GET": health.metrics},
    }


def _nobody(exchange: Exchange) -> None:
    """While the server starts nobody counts."""


async def _starting(scope: Scope, receive: Receive, send: Send) -> None:
    raise ShuttingDown("the kernel is starting; try again in a moment")
