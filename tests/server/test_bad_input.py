"""Whatever is sent: a typed error of the surface's shape that says what was expected, no 5xx."""

import asyncio
import json
from typing import Any

import pytest

from aios.bench.far import Place
from aios.bench.line import Line, request
from aios.bench.machine import resident_bytes
from aios.server.settings import Settings
from aios.server.turns import DEADLINE_HEADER
from tests.server.house import House, house, lived

LLM = ("/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages")
SURFACES = (*LLM, "/v1/messages/count_tokens", "/v1/embeddings", "/api/syscalls/llm.generate")
DEEP = b"[" * 100_000
NESTED: Any = {}
for _ in range(40):
    NESTED = {"properties": {"a": NESTED}}
ASKED = [{"role": "user", "content": "hi"}]
BODIES = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "a number": b"7",
    "null": b"null",
    "NaN": b'{"messages":[{"role":"user","content":"x"}],"temperature":NaN,"max_tokens":NaN}',
    "no UTF-8": b'{"messages":[{"role":"user","content":"\xff"}],"input":"\xff"}',
    "half a surrogate": b'{"messages":[{"role":"user","content":"\\ud800"}],"input":"\\ud800"}',
    "deep": b'{"messages":' + DEEP + b"}",
    "deep where ignored": b'{"nobody":' + DEEP + b"}",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "missing fields": b"{}",
    "huge key": b'{"' + b"k" * 1_000_000 + b'":1}',
    "huge number": b'{"messages":[],"max_tokens":1' + b"0" * 5_000 + b"}",
}
WRONG: dict[str, dict[str, Any]] = {
    "a boolean is no number": {"max_tokens": True},
    "text is no number": {"max_tokens": "5"},
    "zero tokens": {"max_tokens": 0},
    "too many tokens": {"max_tokens": 10**12},
    "beyond 64 bits": {"max_tokens": 10**30, "seed": 2**70},
    "negative temperature": {"temperature": -1},
    "a wrong role": {"messages": [{"role": "king", "content": "x"}]},
    "no messages": {"messages": [], "prompt": "", "input": []},
    "an image": {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
    "content of a wrong type": {"messages": [{"role": "user", "content": 5}]},
    "a tool without a name": {"tools": [{"type": "function", "function": {}}]},
    "a tool with a strange name": {
        "tools": [{"type": "function", "name": "a b", "function": {"name": "a b"}}]
    },
    "two tools of one name": {
        "tools": [{"type": "function", "name": "a", "function": {"name": "a"}}] * 2
    },
    "a tool that is not there": {
        "tools": [{"type": "function", "name": "a", "function": {"name": "a"}}],
        "tool_choice": {"type": "function", "name": "b", "function": {"name": "b"}},
    },
    "a deep schema": {
        "tools": [
            {
                "type": "function",
                "name": "a",
                "input_schema": NESTED,
                "parameters": NESTED,
                "function": {"name": "a", "parameters": NESTED},
            }
        ]
    },
}
COMPLETE = {"messages": ASKED, "input": "hi", "prompt": "hi", "max_tokens": 5}


async def refused(home: House, path: str, body: bytes, status: int = 400) -> dict[str, Any]:
    """The error, whose shape is the surface's."""
    async with home.http.post(path, data=body) as told:
        found: dict[str, Any] = await told.json()
        assert told.status == status, (path, body[:200], found)
        assert told.headers["x-request-id"]
    error: dict[str, Any] = found["error"]
    assert error["message"]
    if path.startswith("/v1/messages"):
        assert (found["type"], error["type"]) == ("error", "invalid_request_error")
        assert found["request_id"]
    elif path.startswith("/v1/"):
        assert error.keys() == {"message", "type", "param", "code"}
    else:
        assert error["code"] == "invalid_argument"
    return error


def test_bodies_that_are_no_requests_are_refused() -> None:
    async def main() -> None:
        async with house() as home:
            for path in SURFACES:
                for body in BODIES.values():
                    await refused(home, path, body)
            assert home.running == 0

    lived(main)


def test_what_is_no_json_is_told_so_and_what_lacks_a_field_is_told_which() -> None:
    async def main() -> None:
        async with house() as home:
            for path in SURFACES:
                expected = "application/json" if path.startswith("/api") else "JSON"
                for body in (b"{", b'{"messages":[', b"hi"):
                    told = await refused(home, path, body)
                    assert told["message"].startswith(f"expected {expected}: "), path
            told = await refused(home, "/v1/chat/completions", b"{}")
            assert told["message"] == "Object missing required field `messages`"

    lived(main)


@pytest.mark.parametrize("path", LLM)
def test_values_that_cannot_be_are_refused_or_ignored_and_never_a_failure(path: str) -> None:
    async def main() -> None:
        async with house(lambda _: "yes") as home:
            for name, fields in WRONG.items():
                async with home.http.post(path, json=COMPLETE | fields) as told:
                    found = await told.json()
                    assert told.status in (200, 400), (name, found)
                    assert told.status == 200 or found["error"]["message"], name

    lived(main)


def test_chat_refuses_each_wrong_value() -> None:
    async def main() -> None:
        async with house(lambda _: "yes") as home:
            for fields in WRONG.values():
                body = json.dumps({"messages": ASKED} | fields).encode()
                await refused(home, "/v1/chat/completions", body)

    lived(main)


def test_unknown_fields_are_ignored_everywhere() -> None:
    async def main() -> None:
        async with house(lambda _: "yes") as home:
            strange = {"nobody": {"knows": [1, {"this": None}]}, "user": "u", "metadata": {}}
            for path in LLM:
                async with home.http.post(path, json=COMPLETE | strange) as told:
                    assert told.status == 200, await told.text()

    lived(main)


def test_a_body_beyond_the_bound_is_refused_before_it_is_read() -> None:
    async def main() -> None:
        async with house(settings=Settings(body_bytes_max=10_000)) as home:
            error = await refused(home, "/v1/messages", b"x" * 20_000, 413)
            assert "10000 bytes" in error["message"]

            async def endless() -> Any:
                for _ in range(100):
                    yield b"x" * 1_000

            async with home.http.post("/v1/chat/completions", data=endless()) as told:
                assert told.status == 413

    lived(main)


def test_a_body_that_comes_too_slowly_is_refused() -> None:
    async def main() -> None:
        async with house(settings=Settings(body_s=0.1)) as home:
            reader, writer = await asyncio.open_connection("127.0.0.1", home.port)
            writer.write(
                f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer "
                f"{home.token}\r\ncontent-length: 100\r\n\r\n{{".encode()
            )
            assert (await reader.readline()).startswith(b"HTTP/1.1 408")
            writer.close()

    lived(main)


@pytest.mark.parametrize("head", [b"", b"POST /v1/chat/completions HTTP/1.1\r\nx: "])
def test_a_head_that_comes_too_slowly_closes_the_connection(head: bytes) -> None:
    async def main() -> None:
        async with house(settings=Settings(head_s=0.1)) as home:
            reader, writer = await asyncio.open_connection("127.0.0.1", home.port)
            writer.write(head)
            async with asyncio.timeout(2):
                assert await reader.read() == b""
            writer.close()

    lived(main)


def test_a_head_that_grows_without_end_closes_the_connection() -> None:
    async def main() -> None:
        async with house(settings=Settings(head_bytes_max=10_000)) as home:
            reader, writer = await asyncio.open_connection("127.0.0.1", home.port)
            writer.write(b"GET / HTTP/1.1\r\n" + b"".join(b"x%d: y\r\n" % n for n in range(9_000)))
            async with asyncio.timeout(2):
                assert await reader.read() == b""
            writer.close()

    lived(main)


def test_paths_and_methods_that_are_not_there_are_told_so() -> None:
    async def main() -> None:
        async with house() as home:
            for path, status in (("/nix", 404), ("/v1/nix", 404), ("/v1/chat/completions", 405)):
                async with home.http.get(path) as told:
                    assert told.status == status
                    assert (await told.json())["error"]["message"]

    lived(main)


def test_ten_thousand_bad_tokens_leave_nothing_behind() -> None:
    async def main() -> None:
        async with house() as home:
            processes = len(home.kernel.table)
            line = await Line.open(Place(port=home.port, token=""))
            resident = []
            for number in range(10_000):
                told = await line.ask(request(f"guess-{number}", "/v1/messages", b"{}"))
                assert told.status == 401
                if number % 2_500 == 2_499:
                    resident.append(resident_bytes())
            line.close()
            assert resident[-1] - resident[0] < 4 << 20
            assert len(home.kernel.table) == processes

    lived(main)


def test_a_deadline_that_cannot_be_is_refused_and_an_absurd_one_breaks_nothing() -> None:
    async def main() -> None:
        async with house(lambda _: "yes") as home:
            for given in ("nan", "inf", "-1", "0", "soon", "1e999", ""):
                headers = {DEADLINE_HEADER: given}
                async with home.http.post(LLM[0], json=COMPLETE, headers=headers) as told:
                    assert told.status == (400 if given else 200), (given, await told.text())
            async with home.http.post(
                LLM[0], json=COMPLETE, headers={DEADLINE_HEADER: "1e300"}
            ) as told:
                assert told.status in (200, 400), await told.text()

    lived(main)


def test_an_unknown_model_is_refused_by_name_where_no_alias_means_it() -> None:
    async def main() -> None:
        async with house(settings=Settings(aliases={})) as home:
            for path in (*LLM, "/v1/messages/count_tokens"):
                for name in ("gpt-9", "x" * 100_000, "../../etc", "\x00"):
                    async with home.http.post(path, json=COMPLETE | {"model": name}) as told:
                        found = await told.json()
                        assert (told.status, bool(found["error"]["message"])) == (404, True), path

    lived(main)


def test_a_body_that_trickles_in_holds_no_lane() -> None:
    async def main() -> None:
        async with house(settings=Settings(body_s=0.3)) as home:
            writers = []
            for _ in range(100):
                reader, writer = await asyncio.open_connection("127.0.0.1", home.port)
                writer.write(
                    f"POST {LLM[0]} HTTP/1.1\r\nhost: x\r\nx-api-key: {home.token}\r\n"
                    "content-length: 1000\r\n\r\n{".encode()
                )
                writers.append((reader, writer))
            async with home.http.post(LLM[0], json=COMPLETE) as told:
                assert told.status == 200
            for reader, writer in writers:
                assert (await reader.readline()).startswith(b"HTTP/1.1 408")
                writer.close()

    lived(main)
