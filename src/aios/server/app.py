"""The HTTP application: which path is answered by what. Wires, and does nothing itself."""

from starlette.types import ASGIApp, Receive, Scope, Send

from aios.errors import ShuttingDown
from aios.kernel import Kernel
from aios.server.asgi import Exchange
from aios.server.auth import Identities
from aios.server.front import Front
from aios.server.routes import Table, router
from aios.server.served import Served
from aios.server.settings import Settings
from aios.server.turns import Turns
from aios.server.wire.aliases import Aliases
from aios.server.wire.chat import Chat


async def application(kernel: Kernel, settings: Settings) -> ASGIApp:
    """The whole server over an open kernel."""
    identities = Identities(kernel, settings)
    await identities.open()
    served = Served(kernel, Aliases(settings.aliases))
    turns = Turns(kernel, identities, served, settings)
    table: Table = {
        "/v1/chat/completions": {"POST": turns.endpoint(Chat)},
    }
    stem = f"{kernel.environment.random.getrandbits(48):012x}"
    return Front(router(table), stem=stem, began=_nobody, ended=_nobody)


def _nobody(exchange: Exchange) -> None:
    pass


class Door:
    """What a listener serves from its first moment: an application that is set when it is ready."""

    def __init__(self) -> None:
        self.inner: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        inner = self.inner or Front(_starting, stem="starting", began=_nobody, ended=_nobody)
        await inner(scope, receive, send)


async def _starting(scope: Scope, receive: Receive, send: Send) -> None:
    raise ShuttingDown("the kernel is starting; try again in a moment")
