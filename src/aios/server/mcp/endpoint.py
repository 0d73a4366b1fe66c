"""/mcp: the present protocol, and the earlier ones with their sessions, over one path.

A call whose client goes away is cancelled. One that takes long keeps its connection by comments.
"""

import asyncio
from collections.abc import AsyncGenerator

from aios.errors import AiosError, Cancelled, Denied, ShuttingDown, Unauthenticated
from aios.kernel import Kernel
from aios.server.asgi import Exchange
from aios.server.auth import Identities, is_of_this_machine
from aios.server.health import PACKAGE, version_of_package
from aios.server.mcp.sessions import Session, Sessions
from aios.server.mcp.tools import Tools
from aios.server.mcp.versions import (
    HANDSHAKE,
    MODERN,
    SERVER_KEY,
    UNNAMED,
    check_modern,
    check_version,
    is_modern,
)
from aios.server.rpc import (
    INVALID,
    NO_METHOD,
    PARAMS,
    STATUSES,
    Body,
    Problem,
    Request,
    answered,
    failed,
    request_of,
)
from aios.server.settings import Settings
from aios.server.sse import HEADERS, Reader, framed
from aios.server.wire.turn import Event

SESSION = "mcp-session-id"
INSTRUCTIONS = (
    "Memory, files and tools of one agent of an AIOS kernel. Notes are long-term memories that are "
    "found by words and by meaning; blocks are named working memory; files have versions."
)
CAPABILITIES: Body = {"tools": {"listChanged": False}}
LISTED: Body = {"ttlMs": 0, "cacheScope": "private"}


class Mcp:
    """Each public method answers one HTTP method of /mcp."""

    def __init__(self, kernel: Kernel, identities: Identities, settings: Settings) -> None:
        self._kernel = kernel
        self._identities = identities
        self._settings = settings
        self._tools = Tools(kernel)
        self._sessions = Sessions()
        self._server = {"name": PACKAGE, "version": version_of_package()}

    async def post(self, exchange: Exchange) -> None:
        """POST /mcp: one request or notification."""
        token = await self._caller(exchange)
        body = await exchange.body(
            bytes_max=self._settings.body_bytes_max, within_s=self._settings.body_s
        )
        request = request_of(body)
        try:
            await self._answer(exchange, token, request)
        except (Unauthenticated, ShuttingDown):
            raise
        except AiosError as error:
            if exchange.status or exchange.is_gone:
                raise
            status = _status(error, are_statuses=is_modern(exchange.header, request))
            await exchange.reply_json(failed(request.answer_id, error), status=status)

    async def get(self, exchange: Exchange) -> None:
        """GET /mcp: the stream of an earlier protocol's session, on which nothing is said yet."""
        session = self._session(exchange, await self._caller(exchange))
        if session.is_listening:
            raise Problem(INVALID, "this session has its stream already", status=409)
        session.is_listening = True
        try:
            await Reader(exchange, self._settings, headers=HEADERS).run(_until_closed(session))
        finally:
            session.is_listening = False

    async def delete(self, exchange: Exchange) -> None:
        """DELETE /mcp: the client is done with its session."""
        self._sessions.close(self._session(exchange, await self._caller(exchange)))
        await exchange.reply(b"", status=204)

    def close(self) -> None:
        """End the streams that would not end by themselves."""
        self._sessions.close_all()

    async def _caller(self, exchange: Exchange) -> str:
        """Who asks: no page of a browser that is not this machine's own."""
        origin = exchange.header("origin")
        if origin and not is_of_this_machine(origin):
            raise Denied("expected no Origin, or one of this machine")
        return await self._identities.caller(exchange)

    def _session(self, exchange: Exchange, token: str) -> Session:
        owner = self._identities.whose(token)
        check_version(exchange.header("mcp-protocol-version") or UNNAMED, HANDSHAKE)
        return self._sessions.find(exchange.header(SESSION), owner, self._kernel.clock.now())

    async def _answer(self, exchange: Exchange, token: str, request: Request) -> None:
        if is_modern(exchange.header, request):
            if request.is_notification:  # There are none: closing a connection cancels its call.
                check_version(exchange.header("mcp-protocol-version"), MODERN)
                await exchange.reply(b"", status=202)
                return
            check_modern(exchange.header, request)
            await self._modern(exchange, token, request)
        elif request.method == "initialize":
            await self._initialize(exchange, token, request)
        else:
            await self._of_session(exchange, token, request)

    async def _modern(self, exchange: Exchange, token: str, request: Request) -> None:
        more = {"resultType": "complete", "_meta": {SERVER_KEY: self._server}}
        if request.method == "server/discover":
            told = {
                "supportedVersions": [*MODERN],
                "capabilities": CAPABILITIES,
                "instructions": INSTRUCTIONS,
            }
            await exchange.reply_json(answered(request.answer_id, told | LISTED | more))
        elif request.method == "tools/list":
            listed = {"tools": await self._tools.list(token)}
            await exchange.reply_json(answered(request.answer_id, listed | LISTED | more))
        elif request.method == "tools/call":
            await self._call(exchange, token, request, more, {})
        else:
            raise _unknown(request)

    async def _initialize(self, exchange: Exchange, token: str, request: Request) -> None:
        wanted = request.params.get("protocolVersion")
        if not isinstance(wanted, str) or request.is_notification:
            raise Problem(PARAMS, "expected an id and params.protocolVersion", status=400)
        version = wanted if wanted in HANDSHAKE else HANDSHAKE[-1]
        owner = self._identities.whose(token)
        id = self._kernel.environment.token()
        self._sessions.open(id, owner, version, self._kernel.clock.now())
        told = {
            "protocolVersion": version,
            "capabilities": CAPABILITIES,
            "serverInfo": self._server,
            "instructions": INSTRUCTIONS,
        }
        await exchange.reply_json(answered(request.answer_id, told), headers={SESSION: id})

    async def _of_session(self, exchange: Exchange, token: str, request: Request) -> None:
        session = self._session(exchange, token)
        if request.is_notification:
            if request.method == "notifications/cancelled":
                _cancel(session, request.params.get("requestId"))
            await exchange.reply(b"", status=202)
        elif request.method == "ping":
            await exchange.reply_json(answered(request.answer_id, {}))
        elif request.method == "tools/list":
            listed = {"tools": await self._tools.list(token)}
            await exchange.reply_json(answered(request.answer_id, listed))
        elif request.method == "tools/call":
            await self._call(exchange, token, request, {}, session.calls)
        else:
            raise _unknown(request)

    async def _call(
        self,
        exchange: Exchange,
        token: str,
        request: Request,
        more: Body,
        calls: dict[int | str, asyncio.Future[Body]],
    ) -> None:
        """Run a tool; who may name the call's id may cancel it meanwhile."""
        id = request.answer_id
        assert id is not None
        if id in calls:
            raise Problem(INVALID, f"a call of id {id!r} is under way already", status=400)
        work = calls[id] = asyncio.ensure_future(self._tools.call(token, request.params))
        try:
            if "text/event-stream" in exchange.header("accept"):
                reader = Reader(exchange, self._settings, headers=HEADERS)
                await reader.run(_told(exchange, id, work, more))
            else:
                result = await exchange.unless_gone(_outcome(work))
                await exchange.reply_json(answered(id, result | more))
        finally:
            del calls[id]
            work.cancel()
            await asyncio.wait((work,))


async def _told(
    exchange: Exchange, id: int | str, work: asyncio.Future[Body], more: Body
) -> AsyncGenerator[bytes, None]:
    """The one event of a stream; an error is raised where no stream has begun."""
    try:
        answer = answered(id, await _outcome(work) | more)
    except AiosError as error:
        if not exchange.status:
            raise
        answer = failed(id, error)
    yield framed(Event(answer, "message"))


async def _outcome(work: asyncio.Future[Body]) -> Body:
    """The result; a call that was cancelled by its client is an error to whoever still waits."""
    await asyncio.wait((work,))
    if work.cancelled():
        raise Cancelled("the call was cancelled")
    return work.result()


async def _until_closed(session: Session) -> AsyncGenerator[bytes, None]:
    yield b": open\n\n"
    await session.closed.wait()


def _cancel(session: Session, id: object) -> None:
    call = session.calls.get(id) if isinstance(id, int | str) else None
    if call is not None:
        call.cancel()


def _unknown(request: Request) -> Problem:
    return Problem(NO_METHOD, f"no method {request.method[:100]!r}")


def _status(error: AiosError, *, are_statuses: bool) -> int:
    """What HTTP says of an error; the earlier protocols leave that to JSON-RPC."""
    if not isinstance(error, Problem):
        return 200
    return error.status or (STATUSES.get(error.number, 200) if are_statuses else 200)
