"""/a2a/NAME and its card, for the agents that the operator lets take part."""

from collections.abc import AsyncGenerator

from aios.errors import AiosError, NotFound, ShuttingDown, Unauthenticated
from aios.kernel import Kernel
from aios.server.a2a.task import Task
from aios.server.a2a.tasks import Tasks
from aios.server.a2a.wire import METHODS, Dialect, asked, card
from aios.server.asgi import Exchange
from aios.server.auth import Identities
from aios.server.health import version_of_package
from aios.server.rpc import NO_METHOD, Body, Id, Problem, Request, answered, failed, request_of
from aios.server.settings import Settings
from aios.server.sse import HEADERS, Reader, framed
from aios.server.wire.turn import Event


class A2a:
    """Each public method answers one path."""

    def __init__(self, kernel: Kernel, identities: Identities, settings: Settings) -> None:
        self._identities = identities
        self._settings = settings
        self.agents = settings.a2a  # that take part, and what they do
        self._tasks = Tasks(kernel, identities)

    async def first_card(self, exchange: Exchange) -> None:
        """GET /.well-known/agent-card.json: of the agent that is named first."""
        await self._tell_card(exchange, next(iter(self.agents), ""))

    async def card(self, exchange: Exchange) -> None:
        """GET /a2a/{name}/.well-known/agent-card.json"""
        await self._tell_card(exchange, exchange.parameter("name"))

    async def post(self, exchange: Exchange) -> None:
        """POST /a2a/{name}: one request."""
        token = await self._identities.caller(exchange)
        name = exchange.parameter("name")
        self._about(name)
        body = await exchange.body(
            bytes_max=self._settings.body_bytes_max, within_s=self._settings.body_s
        )
        request = request_of(body)
        try:
            await self._answer(exchange, token, name, request)
        except (Unauthenticated, ShuttingDown):
            raise
        except AiosError as error:
            if exchange.status or exchange.is_gone:
                raise
            await exchange.reply_json(failed(request.answer_id, error))

    def close(self) -> None:
        """End what would not end by itself."""
        self._tasks.close()

    def _about(self, name: str) -> str:
        about = self.agents.get(name)
        if about is None:
            raise NotFound("no such agent takes part in A2A; [server.a2a] names those that do")
        return about

    async def _tell_card(self, exchange: Exchange, name: str) -> None:
        about = self._about(name)
        await exchange.reply_json(card(name, about, exchange.base, version_of_package()))

    async def _answer(self, exchange: Exchange, token: str, name: str, request: Request) -> None:
        verb, id = METHODS.get(request.method), request.answer_id
        dialect = Dialect(is_old="/" in request.method)
        given = request.params
        if verb == "get":
            task = self._tasks.find(token, given.get("id"))
            await exchange.reply_json(answered(id, dialect.task(task)))
        elif verb == "cancel":
            task = await self._tasks.cancel(token, given.get("id"))
            await exchange.reply_json(answered(id, dialect.task(task)))
        elif verb == "follow":
            task = self._tasks.find(token, given.get("id"))
            await self._stream(exchange, _chunks(task, dialect, id, len(task.updates) - 1))
        elif verb in ("send", "stream"):
            await self._send(exchange, token, name, request)
        else:
            raise Problem(NO_METHOD, f"no method {request.method[:100]!r}")

    async def _send(self, exchange: Exchange, token: str, name: str, request: Request) -> None:
        told = asked(request.params)
        dialect, id = Dialect(is_old="/" in request.method), request.answer_id
        since = 0
        if earlier := told.message.task_id:
            since = len(self._tasks.find(token, earlier).updates)
            task = await self._tasks.go_on(token, earlier, told.body)
        else:
            task = await self._tasks.begin(token, name, told.message.context_id, told.body)
        if METHODS[request.method] == "stream":
            await self._stream(exchange, _chunks(task, dialect, id, since))
            return
        if told.waits:
            await exchange.unless_gone(task.rested())
        await exchange.reply_json(answered(id, dialect.sent(task)))

    async def _stream(self, exchange: Exchange, chunks: AsyncGenerator[bytes, None]) -> None:
        await Reader(exchange, self._settings, headers=HEADERS).run(chunks)


async def _chunks(task: Task, dialect: Dialect, id: Id, since: int) -> AsyncGenerator[bytes, None]:
    """The task as it was at that update, then every change until it rests."""
    seen = since + 1
    yield _framed(id, dialect.sent(task, since))
    while not task.updates[seen - 1].is_resting:
        await task.changed(seen)
        for update in task.updates[seen:]:
            seen += 1
            for event in dialect.events(task, update):
                yield _framed(id, event)


def _framed(id: Id, told: Body) -> bytes:
    return framed(Event(answered(id, told)))
