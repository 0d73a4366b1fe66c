"""The proxy lets a job reach its own list and nothing else, whatever the job says."""

import asyncio
import base64
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from aios.errors import InvalidArgument
from aios.sandbox.addresses import Address
from aios.sandbox.base import Egress
from aios.sandbox.egress import Limits, Proxy
from aios.sandbox.reach import Ends, Reach
from tests.sandbox.egress_house import LIST, PUBLIC, House, connect, get, head, in_house, status


def test_a_tunnel_to_a_listed_host_carries_bytes_both_ways() -> None:
    async def body(house: House, proxy: Proxy, token: str) -> bytes:
        return await house.say(connect("origin.test:443", token) + b"hello" * 50_000, half=True)

    answer = in_house(body)
    assert answer == b"HTTP/1.1 200 Connection established\r\n\r\n" + b"hello" * 50_000


def test_what_was_checked_is_what_is_dialled_and_what_is_told() -> None:
    async def body(house: House, proxy: Proxy, token: str) -> House:
        await house.say(connect("origin.test:443", token), half=True)
        return house

    house = in_house(body)
    assert house.asked == ["origin.test"]
    assert house.dialled == [(PUBLIC, 443)]
    (decision,) = house.decisions
    assert (decision.job, decision.target) == ("job", "origin.test:443")
    assert (decision.address, decision.is_allowed) == (PUBLIC, True)


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("evil.test:443", 403),
        ("origin.test:22", 403),
        ("wild.test:443", 403),
        ("evilwild.test:443", 403),
        ("origin.test.evil.test:443", 403),
        ("127.0.0.1:80", 403),
        ("169.254.169.254:80", 403),
        ("[::1]:80", 403),
        ("[fd00:ec2::254]:80", 403),
        ("localhost:80", 403),
        ("origin.test:443@evil.test:443", 400),
        ("user@origin.test:443", 400),
        ("origin.test.:443", 400),
        ("0x7f000001:80", 400),
        ("2130706433:80", 400),
        ("0177.0.0.1:80", 400),
        ("[fe80::1%25lo]:80", 400),
        ("origin.test", 400),
    ],
)
def test_what_is_not_listed_or_not_plain_is_neither_resolved_nor_dialled(
    to: str, code: int
) -> None:
    async def body(house: House, proxy: Proxy, token: str) -> House:
        assert status(await house.say(connect(to, token))) == code
        return house

    house = in_house(body)
    assert (house.asked, house.dialled) == ([], [])
    assert [decision.is_allowed for decision in house.decisions] == [False]


@pytest.mark.parametrize(
    "head_",
    [
        b"CONNECT attacker\0.origin.test:443 HTTP/1.1\r\n\r\n",
        b"CONNECT origin.test:443\r\n\r\n",
        b"CONNECT  origin.test:443 HTTP/1.1\r\n\r\n",
        b"CONNECT origin.test:443 HTTP/2.0\r\n\r\n",
        b"connect origin.test:443 HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET https://origin.test/ HTTP/1.1\r\n\r\n",
        b"GET ftp://origin.test/ HTTP/1.1\r\n\r\n",
        b"GET http:///x HTTP/1.1\r\n\r\n",
        b"GET http://origin.test HTTP/1.1\nHost: x\r\n\r\n",
        b"GET http://origin.test HTTP/1.1\r\n folded: x\r\n\r\n",
        b"GET http://origin.test HTTP/1.1\r\nspaced : x\r\n\r\n",
        b"GET http://origin.test HTTP/1.1\r\nbell: \x07\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
        b"GET http://origin.test/" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n",
    ],
)
def test_a_head_that_is_not_strictly_http_is_refused(head_: bytes) -> None:
    async def body(house: House, proxy: Proxy, token: str) -> House:
        proof = base64.b64encode(f"aios:{token}".encode())
        known = head_[:-2] + b"Proxy-Authorization: Basic " + proof + b"\r\n\r\n"
        assert status(await house.say(known)) in (0, 400)
        return house

    house = in_house(body)
    assert house.dialled == []
    assert not any(decision.is_allowed for decision in house.decisions)


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["::ffff:10.0.0.1"],
        ["64:ff9b::a9fe:a9fe"],
        ["2002:7f00:1::"],
        ["fe80::1%eth0"],
        [PUBLIC, "10.0.0.1"],
        ["not an address"],
    ],
)
def test_a_listed_name_that_leads_inside_is_refused(addresses: Sequence[str]) -> None:
    async def body(house: House, proxy: Proxy, token: str) -> House:
        assert status(await house.say(connect("origin.test:443", token))) == 403
        return house

    house = in_house(body, names=lambda _: addresses)
    assert house.dialled == []
    assert not house.decisions[0].is_allowed


def test_a_name_that_changes_its_address_gains_nothing() -> None:
    """DNS rebinding: public when it is looked up first, this machine when it is looked up again."""
    answers = iter([[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]])

    async def body(house: House, proxy: Proxy, token: str) -> House:
        first = await house.say(connect("origin.test:443", token), half=True)
        second = await house.say(connect("origin.test:443", token))
        assert (status(first), status(second)) == (200, 403)
        return house

    house = in_house(body, names=lambda _: next(answers))
    assert house.asked == ["origin.test", "origin.test"]
    assert house.dialled == [(PUBLIC, 443)]


def test_a_listed_address_inside_needs_an_operators_word() -> None:
    async def body(house: House, proxy: Proxy, token: str) -> int:
        inside = proxy.admit("inside", Egress(allowed=("127.0.0.1:80",)))
        return status(await house.say(connect("127.0.0.1:80", inside), half=True))

    assert in_house(body) == 403
    assert in_house(body, dial_private=True) == 200


@pytest.mark.parametrize("token", [None, "", "token-7", "TOKEN-0", "token-0 "])
def test_nobody_gets_out_without_a_token_of_a_living_job(token: str | None) -> None:
    async def body(house: House, proxy: Proxy, _: str) -> House:
        answer = await house.say(connect("origin.test:443", token))
        assert status(answer) == 407
        assert b"proxy-authenticate: Basic" in answer
        return house

    assert in_house(body).decisions[0].job == ""


def test_a_token_opens_its_own_jobs_list_only_and_dies_with_it() -> None:
    async def body(house: House, proxy: Proxy, token: str) -> list[int]:
        other = proxy.admit("other", Egress(allowed=("else.test:443",)))
        asked = [("else.test:443", token), ("else.test:443", other), ("origin.test:443", other)]
        codes = [status(await house.say(connect(to, by), half=True)) for to, by in asked]
        await proxy.dismiss(other)
        return [*codes, status(await house.say(connect("else.test:443", other)))]

    assert in_house(body) == [403, 200, 403, 407]


def test_a_job_that_ends_takes_its_open_tunnels_with_it() -> None:
    async def body(house: House, proxy: Proxy, token: str) -> bytes:
        reader, writer = await asyncio.open_connection(*house.address)
        writer.write(connect("origin.test:443", token) + b"x")
        await reader.readuntil(b"\r\n\r\nx")
        await proxy.dismiss(token)
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.transport.abort()

    assert in_house(body) == b""


async def _origin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says back the head it got, as a body."""
    got = await reader.readuntil(b"\r\n\r\n")
    body = b"" if b"content-length" not in got else await reader.readexactly(5)
    writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + got + body)
    await writer.drain()


def test_a_plain_request_reaches_the_host_of_its_line_without_what_is_ours() -> None:
    async def body(house: House, proxy: Proxy, token: str) -> bytes:
        request = get(
            "http://Origin.test/a?b#c", token, "Host: evil.test", "X-Kept: yes",
            "Connection: X-Dropped, Content-Length", "X-Dropped: yes", "Proxy-Connection: close",
        )  # fmt: skip
        return await house.say(request)

    answer = in_house(body, talk=_origin).partition(b"\r\n\r\n")[2]
    assert answer == (
        b"GET /a?b HTTP/1.1\r\nhost: origin.test\r\nx-kept: yes\r\nconnection: close\r\n\r\n"
    )


def test_a_second_request_behind_the_body_is_not_carried() -> None:
    smuggled = b"GET http://origin.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n"

    async def body(house: House, proxy: Proxy, token: str) -> bytes:
        first = head("POST http://origin.test/ HTTP/1.1", token, "Content-Length: 5",
                     "Connection: content-length")  # fmt: skip
        return await house.say(first + b"hello" + smuggled)

    async def origin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _origin(reader, writer)
        writer.write(b"|" + await asyncio.wait_for(_rest(reader), 5))

    async def _rest(reader: asyncio.StreamReader) -> bytes:
        try:
            async with asyncio.timeout(0.1):
                return await reader.read()
        except TimeoutError:
            return b""

    answer = in_house(body, talk=origin)
    assert answer.endswith(b"content-length: 5\r\nconnection: close\r\n\r\nhello|")


@pytest.mark.parametrize(
    "fields",
    [
        ["Transfer-Encoding: chunked"],
        ["Content-Length: 5", "Content-Length: 6"],
        ["Content-Length: +5"],
        ["Content-Length: 99999999999999"],
        ["Host: a", "Host: b"],
    ],
)
def test_a_body_of_doubtful_length_is_refused(fields: list[str]) -> None:
    async def body(house: House, proxy: Proxy, token: str) -> int:
        return status(await house.say(head("POST http://origin.test/ HTTP/1.1", token, *fields)))

    assert in_house(body) == 400


def test_a_redirect_is_a_new_request_and_judged_as_one() -> None:
    async def away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\n\r\n")

    async def body(house: House, proxy: Proxy, token: str) -> House:
        answer = await house.say(get("http://origin.test/", token))
        where = answer.split(b"location: ")[1].split(b"\r\n")[0].decode()
        assert status(await house.say(get(where, token))) == 403
        return house

    assert in_house(body, talk=away).dialled == [(PUBLIC, 80)]


def test_a_jobs_bytes_are_bounded_over_all_its_connections() -> None:
    async def body(house: House, proxy: Proxy, token: str) -> House:
        first = await house.say(connect("origin.test:443", token) + b"x" * 400, half=True)
        assert first.endswith(b"x" * 400)
        second = await house.say(connect("origin.test:443", token) + b"y" * 400, half=True)
        assert b"y" not in second
        return house

    house = in_house(body, limits=Limits(bytes_each=1_000))
    assert [decision.is_allowed for decision in house.decisions] == [True, True, False]
    assert "1,000 bytes" in house.decisions[-1].why


def test_a_jobs_connections_are_bounded_and_so_are_all() -> None:
    async def body(house: House, proxy: Proxy, token: str) -> list[int]:
        open_: list[Ends] = []
        codes = []
        for _ in range(3):
            ends = await asyncio.open_connection(*house.address)
            ends[1].write(connect("origin.test:443", token))
            codes.append(status(await ends[0].read(1 << 16)))
            open_.append(ends)
        other = proxy.admit("other", Egress(allowed=("origin.test:443",)))
        codes.append(status(await house.say(connect("origin.test:443", other), half=True)))
        for _, writer in open_:
            writer.transport.abort()
        return codes

    assert in_house(body, limits=Limits(connections_each=2)) == [200, 200, 429, 200]
    assert in_house(body, limits=Limits(connections=2)) == [200, 200, 0, 0]


def test_a_client_that_never_finishes_its_head_is_let_go() -> None:
    async def body(house: House, proxy: Proxy, token: str) -> bytes:
        return await asyncio.wait_for(house.say(b"CONNECT origin.te"), 5)

    assert in_house(body, limits=Limits(head_s=0.05)) == b""


def test_a_tunnel_in_which_nothing_moves_is_cut() -> None:
    async def body(house: House, proxy: Proxy, token: str) -> bytes:
        return await asyncio.wait_for(house.say(connect("origin.test:443", token)), 5)

    assert status(in_house(body, limits=Limits(idle_s=0.05))) == 200


def test_a_client_that_does_not_read_is_cut_and_holds_no_more_than_a_buffer() -> None:
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()
            sent += 65_536

    async def body(house: House, proxy: Proxy, token: str) -> None:
        reader, writer = await asyncio.open_connection(*house.address, limit=1 << 10)
        writer.write(connect("origin.test:443", token))
        await reader.readuntil(b"established\r\n\r\n")
        async with asyncio.timeout(5):
            with pytest.raises(ConnectionError):
                await house.talks[0]
        writer.transport.abort()

    in_house(body, talk=flood, limits=Limits(idle_s=0.2, bytes_each=1 << 40))
    assert sent < 32 << 20


def test_a_drip_that_is_never_idle_is_cut_at_the_total_deadline() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.01)

    async def body(house: House, proxy: Proxy, token: str) -> bytes:
        return await asyncio.wait_for(house.say(connect("origin.test:443", token)), 5)

    assert b"..." in in_house(body, talk=drip, limits=Limits(total_s=0.2, idle_s=1))


def test_a_resolver_or_an_origin_that_does_not_answer_is_a_typed_status() -> None:
    async def never(address: Address, port: int) -> Ends:
        await asyncio.Event().wait()
        raise AssertionError

    async def refuse(address: Address, port: int) -> Ends:
        raise ConnectionRefusedError

    def missing(_: str) -> Sequence[str]:
        raise socket.gaierror("no such name")

    async def body(house: House, proxy: Proxy, token: str) -> int:
        return status(await house.say(connect("origin.test:443", token)))

    assert in_house(body, dial=never) == 504
    assert in_house(body, dial=refuse) == 502
    assert in_house(body, names=missing) == 502
    assert in_house(body, names=lambda _: []) == 502


def test_a_dead_first_address_is_followed_by_the_next_checked_one() -> None:
    tried: list[str] = []

    async def body(house: House, proxy: Proxy, token: str) -> int:
        house_dial.append(house)
        return status(await house.say(connect("origin.test:443", token), half=True))

    house_dial: list[House] = []

    async def second(address: Address, port: int) -> Ends:
        tried.append(str(address))
        if len(tried) == 1:
            raise ConnectionRefusedError
        return await house_dial[0].dial(address, port)

    assert in_house(body, names=lambda _: ["8.8.8.8", "1.1.1.1"], dial=second) == 200
    assert tried == ["8.8.8.8", "1.1.1.1"]


def test_a_bad_list_is_refused_when_the_job_is_admitted() -> None:
    async def body(house: House, proxy: Proxy, token: str) -> None:
        with pytest.raises(InvalidArgument, match="host:port"):
            proxy.admit("bad", Egress(allowed=("https://x.test/",)))

    in_house(body)


def test_a_jobs_own_socket_is_good_for_its_own_token_and_closed_with_it() -> None:
    async def body(house: House, proxy: Proxy, token: str) -> list[int]:
        own = proxy.admit("own", LIST)
        listener = socket.create_server(("127.0.0.1", 0))
        house.address = listener.getsockname()
        await proxy.listen(listener, own)
        asked = [connect("origin.test:443", by) for by in (token, own)]
        codes = [status(await house.say(one, half=True)) for one in asked]
        await proxy.dismiss(own)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*house.address)
        return codes

    assert in_house(body) == [407, 200]


def test_it_serves_a_socket_of_a_path_and_dials_for_real(tmp_path: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _origin(reader, writer)
        writer.close()

    async def main() -> bytes:
        origin = await asyncio.start_server(talk, "127.0.0.1", 0)
        port = origin.sockets[0].getsockname()[1]
        proxy = Proxy(Reach(dial_private=True), lambda: "t", lambda _: None)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(tmp_path / "proxy"))
        await proxy.listen(listener)
        token = proxy.admit("job", Egress(allowed=(f"localhost:{port}",)))
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "proxy"))
        writer.write(get(f"http://localhost:{port}/x", token))
        answer = await reader.read()
        writer.transport.abort()
        await proxy.close()
        origin.close()
        return answer

    assert b"GET /x HTTP/1.1" in asyncio.run(main())
