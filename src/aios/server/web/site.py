"""The dashboard's paths: who looks is known first, and what goes wrong is told as a page."""

import logging
from collections.abc import Awaitable, Callable
from http.cookies import CookieError, SimpleCookie

from aios.errors import AiosError, Denied, Unauthenticated
from aios.kernel import Kernel
from aios.server.asgi import Exchange
from aios.server.auth import ANONYMOUS, Identities, shown
from aios.server.routes import Handler, Table
from aios.server.settings import Settings
from aios.server.web import render
from aios.server.web.acts import ACTS, Act
from aios.server.web.agents import Agents
from aios.server.web.live import Live
from aios.server.web.pages import PAGES, Show
from aios.server.web.record import Record
from aios.server.web.session import IDLE_S, Session, Sessions
from aios.server.web.visit import (
    HEADERS,
    HTML,
    Visit,
    expect_same_origin,
    form,
    local,
    see_other,
)
from aios.server.wire.errors import status_of
from aios.syscalls import WhoAmI
from aios.syscalls.approval import Approvals

LOG = logging.getLogger("aios.server")
LIVE_HEADER = "x-live"  # of a request for what changes of a page
ELSEWHERE = ("cross-site", "same-site")  # as browsers tell where a link stood
FOREVER = {"cache-control": "public, max-age=31536000, immutable"}
NAVIGATION = (
    ("/", "Overview", "1"),
    ("/approvals", "Approvals", "2"),
    ("/files", "Files", "3"),
    ("/tools", "Tools", "4"),
    ("/budgets", "Budgets", "5"),
    ("/audit", "Audit", "6"),
    ("/events", "Events", "7"),
)
Work = Callable[[Visit], Awaitable[None]]


class Site:
    """Everything that a browser is shown."""

    def __init__(self, kernel: Kernel, identities: Identities, settings: Settings) -> None:
        self._kernel = kernel
        self._identities = identities
        self._sessions = Sessions(kernel.clock)
        self._record = Record(kernel)
        self._live = Live(kernel, self._record, settings, self._check)

    def table(self) -> Table:
        """Path -> method -> handler."""
        agents = Agents()
        shows: dict[str, Show] = {"/": agents.overview, "/agent/{pid}": agents.agent, **PAGES}
        table: dict[str, dict[str, Handler]] = {
            path: {"GET": self._page(show)} for path, show in shows.items()
        }
        for path, act in ACTS.items():
            table.setdefault(path, {})["POST"] = self._act(act)
        return {
            **table,
            "/login": {"GET": self._ask_who, "POST": self._sign_in},
            "/logout": {"POST": self._visited(self._sign_out)},
            "/enter/{ticket}": {"GET": self._enter},
            "/web/tickets": {"POST": self._ticket},
            "/web/live": {"GET": self._visited(self._live.stream)},
            "/web/static/{name:path}": {"GET": _asset},
        }

    def close(self) -> None:
        """End the streams of open pages."""
        self._record.close()

    # Who looks.

    def _visited(self, work: Work) -> Handler:
        """A handler in the name of a session; whoever has none is asked to sign in."""

        async def handler(exchange: Exchange) -> None:
            try:
                session = await self._session(exchange)
                token = self._identities.known(session.token)
                visit = Visit(exchange, session, token, self._kernel, self._record)
                visit.who = await visit.call(WhoAmI())  # A session may outlive its process.
            except Unauthenticated:
                await self._send_to_login(exchange)
                return
            try:
                await work(visit)
            except AiosError as error:
                await self._tell(visit, error)

        return handler

    async def _session(self, exchange: Exchange) -> Session:
        known = self._sessions.find(_cookie(exchange))
        if known is not None:
            return known
        session = self._sessions.open(*await self._shown(exchange))
        exchange.cookies.append(_set_cookie(exchange, session))
        return session

    async def _shown(self, exchange: Exchange) -> tuple[str, int]:
        """The token as it was shown, so that it ends what it opened when it is taken back.

        Of nobody in particular, where such are let in, the kernel's own. And whose it is.
        """
        token = await self._identities.caller(exchange)
        told = shown(exchange)
        return token if told in ("", ANONYMOUS) else told, self._identities.owner_of(token)

    def _check(self, session: Session) -> None:
        """Raise where a session is over, or its token was taken back."""
        self._identities.known(session.token)
        if not self._sessions.is_open(session):
            raise Unauthenticated("this session is over")

    async def _send_to_login(self, exchange: Exchange) -> None:
        if exchange.header(LIVE_HEADER) or exchange.path == "/web/live":
            await exchange.reply(b"", status=401, kind=HTML, headers=HEADERS)
            return
        await see_other(exchange, "/login")

    # Pages and acts.

    def _page(self, show: Show) -> Handler:
        async def work(visit: Visit) -> None:
            number = self._record.last
            page = await show(visit)
            values = {**page.values, **await self._around(visit, page.title), "news": number}
            exchange = visit.exchange
            if not exchange.header(LIVE_HEADER):
                await _reply(exchange, render.page(page.template, values))
                return
            body = render.live(page.template, values)
            mark = render.mark(body)
            if exchange.header("if-none-match") == mark:
                await exchange.reply(b"", status=304, kind=HTML, headers={**HEADERS, "etag": mark})
            else:
                await exchange.reply(body, kind=HTML, headers={**HEADERS, "etag": mark})

        return self._visited(work)

    def _act(self, act: Act) -> Handler:
        async def work(visit: Visit) -> None:
            fields = await visit.form()
            session = visit.session
            try:
                session.notice, session.is_problem = await act(visit, fields), False
            except AiosError as error:
                session.notice, session.is_problem = str(error), True
            await see_other(visit.exchange, local(fields.get("back", "/")))

        return self._visited(work)

    async def _around(self, visit: Visit, title: str) -> dict[str, object]:
        """What every page shows."""
        session = visit.session
        if session.asks_seen != self._record.asks:
            session.asks_seen = self._record.asks
            waiting = await visit.allowed(Approvals())
            session.pending = len(waiting.approvals) if waiting else 0
        notice, session.notice = session.notice, ""
        return {
            "title": title,
            "who": visit.who,
            "visit": visit,
            "path": visit.exchange.path,
            "csrf": session.csrf,
            "pending_count": session.pending,
            "navigation": NAVIGATION,
            "notice": notice,
            "is_problem": session.is_problem,
        }

    async def _tell(self, visit: Visit, error: AiosError) -> None:
        """An error as a page; a reply that has begun can only be broken off."""
        exchange = visit.exchange
        if exchange.is_gone or exchange.status or exchange.header(LIVE_HEADER):
            raise error
        values = {**await self._around(visit, "Not possible"), "error": error, "news": 0}
        await _reply(exchange, render.page("error.html", values), status_of(error, "native"))

    # Signing in and out.

    async def _ask_who(self, exchange: Exchange) -> None:
        await _reply(exchange, render.page("login.html", {"problem": ""}))

    async def _sign_in(self, exchange: Exchange) -> None:
        try:
            expect_same_origin(exchange)
            token = (await form(exchange)).get("token", "").strip()
            owner = self._identities.owner_of(self._identities.known(token))
            session = self._sessions.open(token, owner)
        except AiosError as error:
            body = render.page("login.html", {"problem": str(error)})
            await _reply(exchange, body, status_of(error, "native"))
            return
        exchange.cookies.append(_set_cookie(exchange, session))
        await see_other(exchange, "/")

    async def _sign_out(self, visit: Visit) -> None:
        await visit.form()
        self._sessions.close(visit.session)
        await see_other(visit.exchange, "/login")

    async def _ticket(self, exchange: Exchange) -> None:
        """POST /web/tickets, by a program with a token: a path that signs a browser in, once."""
        ticket = self._sessions.ticket(*await self._shown(exchange))
        await exchange.reply_json({"path": f"/enter/{ticket}"})

    async def _enter(self, exchange: Exchange) -> None:
        """From a terminal a browser comes without its strict cookies: this page leads it on."""
        try:
            # Another site's link must not sign anybody in as somebody that it knows.
            if exchange.header("sec-fetch-site") in ELSEWHERE:
                raise Denied("expected this link to be opened by itself, not from another site")
            session = self._sessions.redeem(exchange.parameter("ticket"))
        except AiosError as error:
            body = render.page("login.html", {"problem": str(error)})
            await _reply(exchange, body, status_of(error, "native"))
            return
        exchange.cookies.append(_set_cookie(exchange, session))
        await _reply(exchange, render.page("enter.html", {}))


async def _reply(exchange: Exchange, body: bytes, status: int = 200) -> None:
    await exchange.reply(body, status=status, kind=HTML, headers=HEADERS)


async def _asset(exchange: Exchange) -> None:
    found = render.asset(exchange.parameter("name"))
    headers = {**FOREVER, "x-content-type-options": "nosniff"}
    await exchange.reply(found.body, kind=found.kind, headers=headers)


def _cookie_name(exchange: Exchange) -> str:
    """With the port, for cookies know none: two kernels on one machine are two places."""
    port = exchange.header("host").rpartition(":")[2]
    return f"aios_{port}" if port.isdecimal() else "aios"


def _cookie(exchange: Exchange) -> str:
    try:
        found = SimpleCookie(exchange.header("cookie")).get(_cookie_name(exchange))
    except CookieError:
        return ""
    return found.value if found is not None else ""


def _set_cookie(exchange: Exchange, session: Session) -> str:
    secure = "; Secure" if exchange.scheme == "https" else ""
    return (
        f"{_cookie_name(exchange)}={session.id}; Path=/; Max-Age={int(IDLE_S)}; HttpOnly; "
        f"SameSite=Strict{secure}"
    )
