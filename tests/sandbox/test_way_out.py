"""From inside, a proxy on the sandbox's own loopback is all there is to reach, one for each job.

The proxy itself has its own tests; here a stand-in answers, and remembers who asked.
"""

import asyncio
import base64
import gc
import re
import socket
from collections.abc import Iterator

import pytest

from aios.errors import Denied
from aios.sandbox.base import Egress, Job, Whose
from aios.sandbox.egress import Decision, Proxy
from aios.sandbox.reach import Reach
from tests.sandbox.house import House, bounded

FETCH = "import urllib.request as u; print(u.urlopen('http://example.org/x').read().decode())"
NOBODY = Whose()
ALLOWED = Egress(("example.org:80",))


class StandIn:
    """Answers every request with what it was asked for."""

    def __init__(self) -> None:
        self.living: set[str] = set()
        self.seen: list[str] = []  # tokens, as they came
        self.servers: list[asyncio.Server] = []
        self.tokens: dict[asyncio.Server, str] = {}

    def admit(self, job: str, egress: Egress, whose: Whose = NOBODY) -> str:
        self.living.add(job)
        return job

    async def listen(self, listener: socket.socket, token: str) -> asyncio.Server:
        server = await asyncio.start_server(self._answer, sock=listener)
        self.servers.append(server)
        self.tokens[server] = token
        return server

    async def dismiss(self, token: str) -> None:
        self.living.discard(token)
        for server in [one for one, its in self.tokens.items() if its == token]:
            server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        found = re.search(r"Proxy-authorization: Basic (\S+)", head, re.IGNORECASE)
        self.seen.append(base64.b64decode(found[1]).decode() if found else "")
        body = head.splitlines()[0].encode()
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + body)
        await writer.drain()
        writer.close()


@pytest.fixture(scope="module")
def way_out() -> Iterator[tuple[House, StandIn]]:
    stand_in = StandIn()
    try:
        house = House("bubblewrap", exits=stand_in)
    except Denied as missing:
        pytest.skip(f"no tier with a network of its own: {missing}")
    with house:
        yield house, stand_in


def test_a_program_reaches_the_proxy_with_its_jobs_token(way_out: tuple[House, StandIn]) -> None:
    house, stand_in = way_out
    done = house.run(Job(python=FETCH, egress=ALLOWED, bounds=bounded()))
    assert done.stdout == b"GET http://example.org/x HTTP/1.1\n", done.stderr
    (seen,) = stand_in.seen
    assert re.fullmatch(r"job:\d+", seen)
    assert stand_in.living == set()
    assert not stand_in.servers[0].is_serving()


def test_two_jobs_have_two_proxies_and_two_tokens(way_out: tuple[House, StandIn]) -> None:
    house, stand_in = way_out
    stand_in.seen.clear()

    async def both() -> list[int]:
        job = Job(python=FETCH, egress=ALLOWED, bounds=bounded())
        return [done.code for done in await asyncio.gather(*map(house.sandbox.run, (job, job)))]

    assert house.do(both()) == [0, 0]
    assert len(set(stand_in.seen)) == 2


def test_without_egress_nobody_listens_inside(way_out: tuple[House, StandIn]) -> None:
    house, _ = way_out
    done = house.python("import socket; socket.create_connection(('127.0.0.1', 3128), 2)")
    assert b"ConnectionRefusedError" in done.stderr


def test_beside_the_proxy_nothing_is_reached(way_out: tuple[House, StandIn]) -> None:
    house, _ = way_out
    source = "import socket; socket.create_connection(('1.1.1.1', 80), 2)"
    done = house.run(Job(python=source, egress=ALLOWED, bounds=bounded()))
    assert b"Network is unreachable" in done.stderr


def servers() -> list[asyncio.Server]:
    """All that anybody still has."""
    gc.collect()
    return [one for one in gc.get_objects() if type(one) is asyncio.Server]


def test_nothing_of_a_job_is_left_at_the_proxy_and_its_refusals_bear_its_name() -> None:
    told: list[Decision] = []
    before = servers()
    tokens = iter("abc")
    proxy = Proxy(Reach(), lambda: next(tokens), told.append)
    whose = Whose("travel", 7, "shop/fetch")
    try:
        house = House("bubblewrap", exits=proxy)
    except Denied as missing:
        pytest.skip(f"no tier with a network of its own: {missing}")
    with house:
        for _ in range(3):
            refused = Egress(("elsewhere.invalid:80",))
            house.run(Job(python=FETCH, egress=refused, bounds=bounded(), whose=whose))
        assert not [one for one in servers() if one not in before]
        house.do(proxy.close())
    assert [(one.whose, one.target, one.is_allowed) for one in told] == [
        (whose, "example.org:80", False)
    ] * 3
