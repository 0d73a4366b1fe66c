"""The HTTP application: which path is answered by what. Wires, and does nothing itself."""

from collections.abc import Awaitable, Callable, Sequence

from starlette.types import ASGIApp, Receive, Scope, Send

from aios.errors import ShuttingDown
from aios.kernel import Kernel
from aios.server import openapi
from aios.server.a2a.endpoint import A2a
from aios.server.auth import Identities
from aios.server.feed import Feed
from aios.server.front import Front, Observer
from aios.server.health import Health
from aios.server.logs import Requests
from aios.server.mcp.endpoint import Mcp
from aios.server.metrics import Metrics
from aios.server.native import Native
from aios.server.program_logs import ProgramLogs
from aios.server.routes import Handler, Table, router
from aios.server.served import Served
from aios.server.settings import Settings
from aios.server.surfaces import Surfaces
from aios.server.turns import Turns
from aios.server.turnstile import Turnstile
from aios.server.web.site import Site
from aios.server.wire.aliases import Aliases
from aios.server.wire.chat import Chat
from aios.server.wire.completions import TextCompletion
from aios.server.wire.messages import Messages
from aios.server.wire.stored import ResponsesInMemory

Reload = Callable[[Settings], Awaitable[None]]


class Application:
    """An ASGI application, and the end of the streams that would never end by themselves."""

    def __init__(
        self,
        front: Front,
        health: Health,
        reload: Reload,
        streams: Sequence[Feed | Mcp | A2a | Site],
    ) -> None:
        self._front = front
        self._health = health
        self._streams = streams
        self.reload = reload  # other agents' tokens and names of models from now on

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._front(scope, receive, send)

    def drain(self) -> None:
        """Take nothing new; what is under way goes on."""
        self._front.is_draining = self._health.is_draining = True

    def close(self) -> None:
        for one in self._streams:
            one.close()


async def application(
    kernel: Kernel, settings: Settings, observers: Sequence[Observer] = ()
) -> Application:
    """The whole server over an open kernel. `observers` are told of each exchange."""
    identities = Identities(kernel, settings)
    await identities.open()
    metrics = Metrics(kernel)
    feed = Feed(kernel, identities, settings)
    stem = f"{kernel.environment.random.getrandbits(48):012x}"
    mcp = Mcp(kernel, identities, settings)
    a2a = A2a(kernel, identities, settings)
    health = Health(kernel, metrics)
    served = Served(kernel, Aliases(settings.aliases))
    logs = ProgramLogs(kernel, identities, settings)
    site = Site(kernel, identities, settings)
    table = _table(kernel, settings, identities, served) | _own(feed, logs, health)
    table |= _others(mcp, a2a) | site.table()
    front = Front(router(table), stem=stem, observers=(metrics, Requests(), *observers))

    async def reload(settings: Settings) -> None:
        await identities.reload(settings.agents)
        feed.recheck()
        served.aliases = Aliases(settings.aliases)
        a2a.agents = settings.a2a

    return Application(front, health, reload, (feed, mcp, a2a, site))


class Door:
    """What a listener serves from its first moment: an application that is set when it is ready."""

    def __init__(self) -> None:
        self.inner: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        inner = self.inner or Front(_starting, stem="starting")
        await inner(scope, receive, send)


def _table(kernel: Kernel, settings: Settings, identities: Identities, served: Served) -> Table:
    """What agents call."""
    turns = Turns(kernel, identities, served, settings)
    turnstile = Turnstile(settings.llm_calls_max)
    native = Native(kernel, identities, settings, turnstile)

    def admitted(handler: Handler) -> Handler:
        return turnstile.around(handler, identities.owner)

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


def _others(mcp: Mcp, a2a: A2a) -> Table:
    """What is spoken beside models' protocols."""
    return {
        "/mcp": {"POST": mcp.post, "GET": mcp.get, "DELETE": mcp.delete},
        "/.well-known/agent-card.json": {"GET": a2a.first_card},
        "/a2a/{name:path}/.well-known/agent-card.json": {"GET": a2a.card},
        "/a2a/{name:path}": {"POST": a2a.post},
    }


def _own(feed: Feed, logs: ProgramLogs, health: Health) -> Table:
    """What people and their tools look at."""
    return {
        "/api/events": {"GET": feed.events},
        "/api/programs/{pid}/log": {"GET": logs.log},
        "/openapi.json": {"GET": openapi.openapi},
        "/docs": {"GET": openapi.docs},
        "/health": {"GET": health.alive},
        "/health/ready": {"GET": health.ready},
        "/version": {"GET": health.version},
        "/metrics": {"GET": health.metrics},
    }


async def _starting(scope: Scope, receive: Receive, send: Send) -> None:
    raise ShuttingDown("the kernel is starting; try again in a moment")
