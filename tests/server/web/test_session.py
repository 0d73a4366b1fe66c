"""Who may look and act by a browser: signing in, and everything that must not pass for it."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from aios.clock import LoopClock
from aios.errors import Unauthenticated
from aios.server.settings import Settings
from aios.server.web import session as sessions
from aios.server.web.session import Sessions
from aios.syscalls import Generate, Inspect, Kill, ProcessState, Spawn
from tests.server.house import lived, soon
from tests.server.web.house import QUICK, house, visitor

FIXED = "a-token-of-sixteen-or-more"


class Hours(LoopClock):
    """A clock that a test moves."""

    at = 0.0

    def now(self) -> float:
        return self.at


def test_nobody_sees_a_page_without_signing_in(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=QUICK) as home, visitor(home, None) as came:
            for path in ("/", "/approvals", "/agent/1", "/files", "/audit", "/events"):
                reply = await came.get(path)
                assert (reply.status, reply.headers["location"]) == (303, "/login")
                assert reply.text == ""
            for path in ("/web/live", "/"):
                assert (await came.get(path, **{"x-live": "1"})).status == 401
            assert (await came.post("/agent/2/kill", {})).headers["location"] == "/login"

    lived(main)


def test_a_token_signs_in_by_a_form_and_stays_out_of_urls_and_pages(tmp_path: Path) -> None:
    async def main() -> None:
        settings = Settings(agents={FIXED: "default"})
        async with house(tmp_path, script=QUICK, settings=settings) as home:
            for token in (home.kernel.token, FIXED):
                async with visitor(home, None) as came:
                    reply = await came.post("/login", {"token": token})
                    cookie = reply.headers["set-cookie"]
                    assert (reply.status, reply.headers["location"]) == (303, "/")
                    assert "HttpOnly" in cookie
                    assert "SameSite=Strict" in cookie
                    page = await came.get("/")
                    assert page.status == 200
                    assert token not in page.text + cookie
            async with visitor(home, None) as came:
                refused = await came.post("/login", {"token": "nobodys-token-at-all"})
                assert refused.status == 401
                assert "set-cookie" not in refused.headers
                assert "unknown token" in refused.text

    lived(main)


def test_a_ticket_opens_one_session_once_and_not_for_long() -> None:
    async def main() -> None:
        clock = Hours()
        known = Sessions(clock)
        ticket = known.ticket("token", 2)
        assert known.redeem(ticket).token == "token"
        with pytest.raises(Unauthenticated, match="aios dashboard"):
            known.redeem(ticket)
        late = known.ticket("token", 2)
        clock.at += sessions.TICKET_S + 1
        with pytest.raises(Unauthenticated):
            known.redeem(late)

    asyncio.run(main())


def test_sessions_are_bounded_and_end_when_nobody_comes() -> None:
    clock = Hours()
    known = Sessions(clock)
    first = known.open("token", 0)
    opened = [known.open("token", owner) for owner in range(1, sessions.SESSIONS_MAX + 1)]
    assert len(known) == sessions.SESSIONS_MAX
    assert known.find(first.id) is None
    clock.at += sessions.IDLE_S + 1
    assert known.find(opened[-1].id) is None
    assert known.find("") is None
    for owner in range(sessions.TICKETS_MAX * 2):
        known.ticket("token", owner)
    assert len(known._tickets) == sessions.TICKETS_MAX


def test_who_opens_too_many_sessions_loses_its_own() -> None:
    known = Sessions(Hours())
    operators, ticket = known.open("operator", 1), known.ticket("operator", 1)
    mine = [known.open(f"token {number}", 2) for number in range(sessions.SESSIONS_MAX * 2)]
    for number in range(sessions.TICKETS_MAX * 2):
        known.ticket(f"token {number}", 2)
    assert known.find(operators.id) is operators
    assert known.redeem(ticket).token == "operator"
    assert known.find(mine[0].id) is None
    assert known.find(mine[-1].id) is mine[-1]
    assert len(known) <= sessions.OF_ONE_MAX + 2


def test_an_act_needs_the_sessions_own_form_from_its_own_page(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=QUICK) as home:
            agent = await home.spawn("worker")
            path = f"/agent/{agent.pid}/pause"
            async with visitor(home) as came, visitor(home) as other:
                good, others = await came.csrf(), await other.csrf()
                attempts: list[tuple[dict[str, str], str | None]] = [
                    ({}, ""),
                    ({"csrf": "made up"}, ""),
                    ({"csrf": others}, ""),
                    ({"csrf": good}, "https://evil.example"),
                    ({"csrf": good}, "null"),
                    ({"csrf": good}, None),
                    ({"csrf": good}, "http://[broken"),
                ]
                for form, origin in attempts:
                    reply = await came.post(path, form, origin)
                    assert reply.status == 403, (form, origin)
                info = await home.first(Inspect(pid=agent.pid))
                assert info.state is ProcessState.RUNNING
                reply = await came.post(path, {"csrf": good, "back": "//evil.example/"})
                assert (reply.status, reply.headers["location"]) == (303, "/")
                info = await home.first(Inspect(pid=agent.pid))
                assert info.state is ProcessState.PAUSED
                assert (await came.get(path)).status == 405

    lived(main)


def test_every_page_is_fenced_in_by_its_headers(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=QUICK) as home, visitor(home) as came:
            for path in ("/", "/login", "/approvals", "/files", "/agent/999"):
                headers = (await came.get(path)).headers
                policy = headers["content-security-policy"]
                assert "default-src 'none'" in policy
                assert "script-src 'self';" in policy
                assert "unsafe" not in policy
                assert "frame-ancestors 'none'" in policy
                assert headers["x-frame-options"] == "DENY"
                assert headers["x-content-type-options"] == "nosniff"
                assert headers["cache-control"] == "no-store"

    lived(main)


def test_signing_out_ends_the_session_and_so_does_the_end_of_its_process(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=QUICK) as home:
            async with visitor(home) as came:
                csrf = await came.csrf()
                assert (await came.post("/logout", {"csrf": csrf})).status == 303
                assert (await came.get("/")).headers["location"] == "/login"
            agent = await home.spawn("worker")
            async with visitor(home, agent.token) as came, visitor(home) as operator:
                assert (await came.get("/")).status == 200
                csrf = await operator.csrf()
                await operator.post(f"/agent/{agent.pid}/kill", {"csrf": csrf})
                assert (await came.get("/")).headers["location"] == "/login"

    lived(main)


def test_a_token_that_is_taken_back_takes_its_sessions_with_it(tmp_path: Path) -> None:
    async def main() -> None:
        settings = Settings(agents={FIXED: "default"})
        async with (
            house(tmp_path, script=QUICK, settings=settings) as home,
            visitor(home, FIXED) as came,
        ):
            assert (await came.get("/")).status == 200
            async with visitor(home, None) as direct:
                speaks = {"authorization": f"Bearer {FIXED}"}
                assert (await direct.get("/", **speaks)).status == 200
                assert (await direct.get("/")).status == 200
                await home.app.reload(Settings())
                assert (await came.get("/")).headers["location"] == "/login"
                assert (await direct.get("/")).headers["location"] == "/login"

    lived(main)


@pytest.mark.parametrize("ends", ["taken back", "signed out", "killed"])
def test_the_stream_of_an_open_page_ends_with_its_session(tmp_path: Path, ends: str) -> None:
    async def main() -> None:
        settings = Settings(agents={FIXED: "default"})
        async with (
            house(tmp_path, script=QUICK, settings=settings) as home,
            visitor(home, FIXED) as came,
        ):
            me = next(one for one in home.kernel.table.all(ended=False) if one.name == "default")
            watching = asyncio.ensure_future(came.get("/web/live"))
            await soon(lambda: me.calls > 0)
            if ends == "taken back":
                await home.app.reload(Settings())
            elif ends == "signed out":
                await came.post("/logout", {"csrf": await came.csrf()})
            else:
                await home.first(Kill(pid=me.pid))
            if ends != "killed":
                await home.kernel.call(me.token, Spawn(name="a secret"))
            told = await watching
            assert told.status == 200
            assert "a secret" not in told.text

    lived(main)


def test_a_link_on_another_site_signs_nobody_in(tmp_path: Path) -> None:
    async def main() -> None:
        async with house(tmp_path, script=QUICK) as home, visitor(home, None) as came:
            link = (await home.ticket()).removeprefix(home.url)
            for site in ("cross-site", "same-site"):
                refused = await came.get(link, **{"sec-fetch-site": site})
                assert refused.status == 403
                assert "set-cookie" not in refused.headers
            assert (await came.get(link, **{"sec-fetch-site": "none"})).status == 200

    lived(main)


def test_an_agent_that_signs_in_sees_itself_and_those_below_and_acts_on_no_other(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with house(tmp_path, script=QUICK) as home:
            agent, stranger = await home.spawn("insider"), await home.spawn("stranger")
            child = await home.spawn("offspring", agent.token)
            async with visitor(home, agent.token) as came:
                page = (await came.get("/")).text
                assert "insider" in page
                assert "offspring" in page
                assert "stranger" not in page
                assert "Use it" not in page, "the policy is not its to choose"
                assert "offspring" in (await came.get(f"/agent/{child.pid}")).text
                refused = await came.get(f"/agent/{stranger.pid}")
                assert refused.status in (403, 404)
                assert "stranger" not in refused.text
                events = (await came.get("/events")).text
                assert "offspring" in events
                assert "stranger" not in events
                for path in ("/approvals", "/audit", "/files?agent=stranger"):
                    assert (await came.get(path)).status in (403, 404)
                csrf = await came.csrf()
                await came.post(f"/agent/{stranger.pid}/kill", {"csrf": csrf, "back": "/"})
                info = await home.first(Inspect(pid=stranger.pid))
                assert info.state is ProcessState.RUNNING
                assert "problem" in (await came.get("/")).text

    lived(main)


def test_nobody_in_particular_looks_on_loopback_where_that_is_allowed(tmp_path: Path) -> None:
    async def main() -> None:
        settings = Settings(anonymous="default")
        async with house(tmp_path, script=QUICK, settings=settings) as home:
            await home.spawn("stranger")
            async with visitor(home, None) as came:
                page = await came.get("/")
                assert page.status == 200
                assert "HttpOnly" in page.headers["set-cookie"]
                assert "stranger" not in page.text
                other = {"host": "evil.example"}
                async with visitor(home, None) as rebound:
                    assert (await rebound.get("/", **other)).headers["location"] == "/login"

    lived(main)


def test_the_stream_of_an_open_page_tells_what_happens_and_ends_with_the_server(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        async with house(tmp_path, script=QUICK) as home, visitor(home) as came:
            watching = asyncio.ensure_future(came.get("/web/live?lanes=1"))
            await soon(lambda: home.kernel.table.find(1).calls > 0)
            agent = await home.spawn("seen")
            await home.kernel.call(agent.token, Generate(prompt="hello"))
            home.app.close()
            reply = await watching
            assert reply.text.startswith("retry: 2000\nevent: hello\n")
            told = "".join(reply.text.split("\n"))
            assert told.index("seen") < told.index("submitted") < told.index("ended")

    lived(main)


def test_an_event_stream_ends_when_its_token_is_taken_back(tmp_path: Path) -> None:
    async def main() -> None:
        settings = Settings(agents={FIXED: "default"}, keepalive_s=0.1)
        async with (
            house(tmp_path, script=QUICK, settings=settings) as home,
            aiohttp.ClientSession(home.url) as http,
        ):
            me = next(one for one in home.kernel.table.all(ended=False) if one.name == "default")
            speaks = {"authorization": f"Bearer {FIXED}"}
            own = {"authorization": f"Bearer {home.kernel.token}"}
            async with (
                http.get("/api/events", headers=speaks) as taken,
                http.get("/api/events", headers=own) as kept,
            ):
                assert await taken.content.readline() == b": open\n"
                assert await kept.content.readline() == b": open\n"
                await home.app.reload(Settings())
                await home.kernel.call(me.token, Spawn(name="a secret"))
                assert b"a secret" not in await taken.read()
                while b"a secret" not in await kept.content.readline():
                    pass

    lived(main)
