"""Pages of allowed hosts, through the guarded way out; everything else is refused."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import pytest

from aios.clock import LoopClock
from aios.errors import InvalidArgument
from aios.sandbox.reach import Reach
from aios.syscalls.tool import ListTools
from aios.tools.builtin.fetch import Way, listed
from aios.tools.builtin.page import page_text
from aios.tools.builtin.source import Builtins, lacking
from tests.tools.builtin.house import House, house

PAGE = b"""<html><head><title> A  page </title><script>evil()</script></head>
<body><h1>Soup</h1><p>Boil <b>water</b>.<br>Eat.</p><style>p {}</style>
<ul><li>salt<li>pepper</ul><a href="https://b.example/x">more</a></body></html>"""
Pages = Mapping[str, bytes]


def answer(body: bytes, kind: str = "text/html", status: str = "200 OK", more: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{more}"
    return f"{head}connection: close\r\n\r\n".encode() + body


PAGES: Pages = {
    "/page": answer(PAGE),
    "/data": answer(b'{"a": [1, 2]}', "application/json"),
    "/text": answer("größe".encode("latin-1"), "text/plain; charset=iso-8859-1"),
    "/image": answer(b"\x89PNG", "image/png"),
    "/gone": answer(b"no such page", "text/plain", "404 Not Found"),
    "/long": answer(b"x" * 3_000_000, "text/plain"),
    "/packed": answer(b"...", "text/plain", more="content-encoding: gzip\r\n"),
    "/inside": answer(b"", status="302 Found", more="location: http://169.254.169.254/meta\r\n"),
    "/elsewhere": answer(b"", status="302 Found", more="location: http://c.example/\r\n"),
    "/here": answer(b"", status="302 Found", more="location: /page\r\n"),
    "/round": answer(b"", status="302 Found", more="location: /round\r\n"),
}


@asynccontextmanager
async def origin() -> AsyncIterator[int]:
    """A web server that plays every host."""

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(PAGES.get(head.split()[1].decode(), PAGES["/gone"]))
        try:
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def fetching(
    folder: Path, main: Callable[[House], Awaitable[None]], hosts: Sequence[str] = ("a.example",)
) -> None:
    """Every name that is looked up is the origin's, whatever port is asked for."""

    async def body() -> None:
        async with origin() as port:

            async def resolve(name: str) -> Sequence[str]:
                return ["10.0.0.1"] if name.startswith("inside") else ["93.184.216.34"]

            async def dial(address: object, asked: int):  # type: ignore[no-untyped-def]
                return await asyncio.open_connection("127.0.0.1", port)

            numbers = count()
            way = Way(hosts, lambda: f"t{next(numbers)}", Reach(resolve=resolve, dial=dial))
            source = Builtins(LoopClock(), lambda: "", hosts=hosts, way=way)
            async with house(folder, source=source) as one:
                await main(one)

    asyncio.run(body())


def test_a_page_is_told_as_text(tmp_path: Path) -> None:
    async def main(house: House) -> None:
        result = await house.call("http_fetch", url="http://a.example/page")
        assert result.text == (
            "A page\n\nSoup\nBoil water.\nEat.\n- salt\n- pepper\nmore [https://b.example/x]"
        )
        assert result.source == "web"
        assert (await house.said("http_fetch", url="http://a.example/here")).startswith("A page")

    fetching(tmp_path, main)


def test_data_stays_data_and_letters_are_read_as_they_are_written(tmp_path: Path) -> None:
    async def main(house: House) -> None:
        data = await house.call("http_fetch", url="http://a.example/data")
        assert data.contents[0].value == {"a": [1, 2]}  # type: ignore[union-attr]
        assert await house.said("http_fetch", url="http://a.example/text") == "größe"

    fetching(tmp_path, main)


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("http://b.example/page", "not among the hosts"),
        ("http://169.254.169.254/latest/meta-data", "not among the hosts"),
        ("http://127.0.0.1:8642/", "not among the hosts"),
        ("http://inside.a.example/page", "not among the hosts"),
        ("http://a.example:8080/page", "not among the hosts"),
        ("http://a.example/inside", "not among the hosts"),
        ("http://a.example/elsewhere", "not among the hosts"),
        ("http://a.example/round", "http://a.example/round"),
        ("http://a.example/image", "expected text, it is image/png"),
        ("http://a.example/packed", "not packed"),
        ("http://a.example/gone", "answers 404: no such page"),
        ("file:///etc/passwd", "expected http"),
        ("gopher://a.example/", "expected http"),
        ("http://", "shorter|expected|minLength"),
    ],
)
def test_anything_else_is_refused_in_words(tmp_path: Path, url: str, match: str) -> None:
    async def main(house: House) -> None:
        refused = await house.call("http_fetch", url=url)
        assert refused.is_error
        assert any(one in refused.text for one in match.split("|")), refused.text

    fetching(tmp_path, main)


def test_an_allowed_name_that_is_inside_is_refused(tmp_path: Path) -> None:
    async def main(house: House) -> None:
        refused = await house.call("http_fetch", url="http://inside.example/page")
        assert refused.is_error
        assert "private" in refused.text

    fetching(tmp_path, main, hosts=("inside.example",))


def test_a_long_page_is_cut(tmp_path: Path) -> None:
    async def main(house: House) -> None:
        told = await house.said("http_fetch", url="http://a.example/long", characters=1_000)
        assert told == "x" * 1_000 + "\n[1,000 of 2,097,152 characters]"

    fetching(tmp_path, main)


def test_hosts_are_read_strictly() -> None:
    assert listed(["a.example", "*.b.example", "c.example:8443"]) == (
        "a.example:443", "a.example:80", "*.b.example:443", "*.b.example:80", "c.example:8443",
    )  # fmt: skip
    with pytest.raises(InvalidArgument):
        listed(["http://a.example"])


def test_without_hosts_and_sandbox_the_kernel_says_what_is_missing_and_why(tmp_path: Path) -> None:
    assert lacking(None, "no tier holds", ()) == {
        "python": "no tier holds",
        "shell": "no tier holds",
        "http_fetch": "no host is allowed; `--allow-host` names those that are",
    }

    async def main(house: House) -> None:
        listed = await house.do(ListTools(prefix="aios/"))
        names = {one.name.removeprefix("aios/") for one in listed.tools}
        assert names.isdisjoint({"python", "shell", "http_fetch"})
        assert names >= {"calculator", "files_read", "notes_add", "ask_human", "search", "wait"}

    async def body() -> None:
        async with house(tmp_path) as one:
            await main(one)

    asyncio.run(body())


@pytest.mark.parametrize(
    ("html", "told"),
    [
        ("", ""),
        ("plain", "plain"),
        ("<p>a<p>b", "a\nb"),
        ("<script>x", ""),
        ("<title>T</title>", "T"),
        ("a &amp; b &lt;c&gt;", "a & b <c>"),
        ("<table><tr><td>1</td><td>2</td></tr></table>", "| 1 | 2"),
        ("<a href='javascript:x'>go</a>", "go"),
        ("<" * 1_000, "<" * 1_000),
        ("<div>" * 5_000 + "deep", "deep"),
        ("<!-- hidden -->seen", "seen"),
    ],
)
def test_pages_of_all_kinds_become_text(html: str, told: str) -> None:
    assert page_text(html) == told
