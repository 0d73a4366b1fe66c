"""Requests to /mcp as no good client sends them: each is told what was expected."""

import asyncio
import json
import re
from typing import Any

import jsonschema
import pytest

from aios.errors import InvalidArgument
from aios.sdk import tool
from aios.server.auth import Owner
from aios.server.mcp.offers import READ_BYTES, call_of, data_of, offers
from aios.server.mcp.sessions import Sessions
from aios.server.mcp.tools import names_of
from aios.server.mcp.versions import CLIENT_KEY, VERSION_KEY
from aios.server.rpc import Problem
from aios.server.settings import Settings
from aios.syscalls.file import FileData, ReadFile
from aios.syscalls.tool import ToolInfo
from tests.server.full_house import tool_house
from tests.server.house import House, lived, soon

MODERN = "2026-07-28"
META = {VERSION_KEY: MODERN, CLIENT_KEY: {}}
Answer = tuple[int, Any, Any]


async def post(home: House, body: Any, **headers: str) -> Answer:
    """The status, the body and the headers."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    async with home.http.post("/mcp", data=data, headers=told) as answer:
        text = await answer.text()
        return answer.status, json.loads(text) if text else None, answer.headers


def request(method: str, id: Any = 1, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}


async def modern(home: House, method: str, id: Any = 1, **params: Any) -> Answer:
    headers = {"mcp_protocol_version": MODERN, "mcp_method": method}
    if "name" in params:
        headers["mcp_name"] = str(params["name"])
    return await post(home, request(method, id, _meta=META, **params), **headers)


async def opened(home: House, version: str = "2025-11-25") -> dict[str, str]:
    """The headers of a new session."""
    hello = request("initialize", protocolVersion=version, capabilities={}, clientInfo={})
    status, _, headers = await post(home, hello)
    assert status == 200
    return {"mcp_session_id": headers["mcp-session-id"], "mcp_protocol_version": version}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (b"[" * 100_000, -32600),
        (b'{"a":' * 100_000, -32700),
        (b"NaN", -32700),
        (b"[]", -32600),
        ([request("ping")], -32600),
        (b"5", -32600),
        (b"null", -32600),
        ({"id": 1, "method": "ping"}, -32600),
        ({"jsonrpc": "1.0", "id": 1, "method": "ping"}, -32600),
        (request("ping", id=None), -32600),
        (request("ping", id=True), -32600),
        (request("ping", id=1.5), -32600),
        (request("ping", id={}), -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": 5}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "result": {}}, -32600),
    ],
)
def test_what_is_no_request_is_refused(body: Any, code: int) -> None:
    async def main() -> None:
        async with tool_house() as home:
            for headers in ({}, {"mcp_protocol_version": MODERN, "mcp_method": "ping"}):
                status, answer, _ = await post(home, body, **headers)
                assert (status, answer["error"]["code"], answer["id"]) == (400, code, None)

    lived(main)


def test_ids_come_back_as_they_were() -> None:
    async def main() -> None:
        async with tool_house() as home:
            for id in (0, -5, "", "x" * 100, 2**53):
                _, answer, _ = await modern(home, "tools/list", id)
                assert answer["id"] == id
                assert type(answer["id"]) is type(id)

    lived(main)


def test_the_present_protocol_says_in_headers_what_its_body_says() -> None:
    async def main() -> None:
        async with tool_house() as home:
            right = {"mcp_protocol_version": MODERN, "mcp_method": "tools/call"}
            body = request("tools/call", _meta=META, name="local_add", arguments={"a": 1, "b": 2})
            for wrong in (
                right,
                right | {"mcp_name": "other"},
                right | {"mcp_name": "=?base64?!?="},
                right | {"mcp_name": "local_add", "mcp_method": "tools/list"},
                {"mcp_method": "tools/call", "mcp_name": "local_add"},
            ):
                status, answer, _ = await post(home, body, **wrong)
                assert (status, answer["error"]["code"]) == (400, -32020)
            name = "=?base64?bG9jYWxfYWRk?="
            status, answer, _ = await post(home, body, **right, mcp_name=name)
            assert (status, answer["result"]["content"][0]["text"]) == (200, "3")
            for meta in ({}, {VERSION_KEY: MODERN}, None, 5, "x"):
                status, answer, _ = await post(home, request("tools/list", _meta=meta), **right)
                assert (status, answer["error"]["code"]) == (400, -32602)

    lived(main)


def test_a_version_that_is_not_known_is_told_which_are() -> None:
    async def main() -> None:
        async with tool_house() as home:
            meta = META | {VERSION_KEY: "2031-01-01"}
            headers = {"mcp_protocol_version": "2031-01-01", "mcp_method": "tools/list"}
            for body in (request("tools/list", _meta=meta), request("tools/list")):
                status, answer, _ = await post(home, body, **headers)
                assert (status, answer["error"]["code"]) == (400, -32022)
                assert MODERN in answer["error"]["data"]["supported"]

    lived(main)


def test_a_method_that_is_not_there_is_told_so() -> None:
    async def main() -> None:
        async with tool_house() as home:
            status, answer, _ = await modern(home, "resources/list")
            assert (status, answer["error"]["code"]) == (404, -32601)
            session = await opened(home)
            status, answer, _ = await post(home, request("resources/list"), **session)
            assert (status, answer["error"]["code"]) == (200, -32601)

    lived(main)


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_earlier_protocols_have_a_session(version: str) -> None:
    async def main() -> None:
        async with tool_house() as home:
            session = await opened(home, version)
            assert (await post(home, request("ping"), **session))[1]["result"] == {}
            note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
            assert (await post(home, note, **session))[0] == 202
            told = (await post(home, request("tools/list"), **session))[1]["result"]
            assert {one["name"] for one in told["tools"]} == {"local_add", "local_fail"}
            async with home.http.delete("/mcp", headers=plain(session)) as done:
                assert done.status == 204
            assert (await post(home, request("ping"), **session))[0] == 404

    lived(main)


def plain(session: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in session.items()}


def test_a_session_is_its_agents_alone() -> None:
    async def main() -> None:
        async with tool_house() as home:
            session = await opened(home)
            theirs = {"authorization": f"Bearer {home.kernel.token}"}
            assert (await post(home, request("ping"), **session, **theirs))[0] == 404
            assert (await post(home, request("ping"), mcp_session_id="nix"))[0] == 404
            assert (await post(home, request("ping")))[0] == 400

    lived(main)


def test_a_sessions_stream_is_one_and_ends_with_it() -> None:
    async def main() -> None:
        async with tool_house() as home:
            session = plain(await opened(home))
            async with home.http.get("/mcp", headers=session) as stream:
                assert stream.headers["content-type"].startswith("text/event-stream")
                assert await stream.content.readline() == b": open\n"
                async with home.http.get("/mcp", headers=session) as second:
                    assert second.status == 409
                async with home.http.delete("/mcp", headers=session) as done:
                    assert done.status == 204
                assert (await stream.content.read()).strip() == b""

    lived(main)


def test_a_page_of_a_browser_from_elsewhere_is_refused() -> None:
    async def main() -> None:
        async with tool_house() as home:
            for origin, expected in (
                ("https://evil.example", 403),
                ("null", 403),
                ("[", 403),
                ("http://localhost:3000", 200),
                ("http://127.0.0.1", 200),
            ):
                headers = {"mcp_protocol_version": MODERN, "mcp_method": "tools/list"}
                body = request("tools/list", _meta=META)
                status, answer, _ = await post(home, body, **headers, origin=origin)
                assert status == expected, origin
                assert (status == 200) == ("result" in answer)

    lived(main)


def test_without_a_token_nothing_is_told() -> None:
    async def main() -> None:
        async with tool_house() as home:
            for given in ("", "Bearer nobody"):
                status, answer, headers = await post(home, request("ping"), authorization=given)
                assert (status, answer["error"]["data"]) == (401, {"code": "unauthenticated"})
                assert headers["www-authenticate"].startswith("Bearer")
                async with home.http.get("/mcp", headers={"authorization": given}) as told:
                    assert told.status == 401

    lived(main)


def test_a_body_has_a_bound() -> None:
    async def main() -> None:
        async with tool_house(settings=Settings(body_bytes_max=10_000)) as home:
            status, answer, _ = await modern(home, "tools/call", name="local_add", x="x" * 20_000)
            assert (status, answer["error"]["code"]) == (413, -32000)

    lived(main)


def test_arguments_that_are_wrong_are_a_result_that_says_so() -> None:
    async def main() -> None:
        async with tool_house() as home:
            for arguments in ({"a": 1}, {"a": 1, "b": None}, {"a": [1], "b": 2}):
                _, answer, _ = await modern(
                    home, "tools/call", name="local_add", arguments=arguments
                )
                assert answer["result"]["isError"], arguments
            for params in ({"name": 5}, {"name": "local_add", "arguments": []}, {}):
                status, answer, _ = await modern(home, "tools/call", **params)
                assert (status, answer["error"]["code"]) == (400, -32602)

    lived(main)


def test_ten_thousand_sessions_are_no_more_than_their_bound() -> None:
    sessions = Sessions(most=100, of_one=10, idle_s=60.0)
    for number in range(10_000):
        owner = Owner(number % 50, number % 50)
        sessions.open(f"s{number}", owner, "2025-11-25", now=float(number) / 1_000)
    assert len(sessions) <= 100
    with pytest.raises(Problem, match="no such session"):
        sessions.find("s0", Owner(0, 0), now=10.0)
    assert sessions.find("s9999", Owner(49, 49), now=10.0).id == "s9999"
    with pytest.raises(Problem, match="no such session"):
        sessions.find("s9999", Owner(49, 7), now=10.0)
    sessions.open("last", Owner(1, 1), "2025-11-25", now=1_000.0)
    assert len(sessions) == 1


def test_nobody_loses_a_session_to_anothers_many_children() -> None:
    sessions = Sessions()
    mine = sessions.open("mine", Owner(2, 2), "2025-11-25", now=0.0)
    for child in range(20_000):
        sessions.open(f"s{child}", Owner(3, child), "2025-11-25", now=1.0)
    assert sessions.find("mine", Owner(2, 2), now=2.0) is mine
    assert not mine.closed.is_set()


def test_an_id_in_use_is_no_other_calls_and_its_session_can_cancel_it() -> None:
    began = asyncio.Event()

    @tool
    async def forever() -> str:
        """Does not end by itself."""
        began.set()
        await asyncio.Event().wait()
        return ""

    async def main() -> None:
        async with tool_house([forever]) as home:
            session = await opened(home)
            call = request("tools/call", id="c", name="local_forever")
            first = asyncio.ensure_future(post(home, call, **session))
            await began.wait()
            status, answer, _ = await post(home, call, **session)
            assert (status, answer["error"]["code"]) == (400, -32600)
            ids: list[object] = [{}, 5, "d", "c"]
            for id in ids:
                give_up = {"method": "notifications/cancelled", "params": {"requestId": id}}
                assert (await post(home, {"jsonrpc": "2.0"} | give_up, **session))[0] == 202
            assert (await first)[1]["error"]["data"] == {"code": "cancelled"}
            await soon(lambda: home.kernel.gate.live == 0)

    lived(main)


def test_tools_have_plain_names_of_their_own() -> None:
    tools = [
        ToolInfo(name=name, description="", parameters={}, pin="")
        for name in ("a/b.c", "a/b-d", "a/b c", "a/" + "x" * 100, "note/add")
    ]
    named = names_of(tools, {"note_add"})
    assert {one.name for one in named.values()} == {one.name for one in tools}
    assert named["a_b-d"].name == "a/b-d"
    assert "note_add" not in named
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in named)
    assert "a_b_c" not in named  # It would be either of two.


def test_offers_are_derived_and_hide_how_syscalls_travel() -> None:
    for name, offer in offers().items():
        schema = offer.told["inputSchema"]
        assert "syscall" not in schema["properties"]
        assert offer.told["description"], name
        jsonschema.Draft202012Validator.check_schema(schema)
    write = offers()["file_write"].told
    assert write["inputSchema"]["required"] == ["path", "text"]
    assert offers()["file_delete"].told["annotations"]["destructiveHint"]
    assert offers()["file_read"].told["annotations"]["readOnlyHint"]


def test_reading_is_by_parts_and_bytes_that_are_no_text_are_base64() -> None:
    read = offers()["file_read"]
    assert call_of(read, {"path": "a"}) == ReadFile(path="a", length=READ_BYTES)
    for wrong in ({"path": "a", "length": READ_BYTES + 1}, {"path": 5}, {"pfad": "a"}):
        with pytest.raises(InvalidArgument):
            call_of(read, wrong)
    with pytest.raises(InvalidArgument):
        call_of(offers()["file_write"], {"path": "a", "text": 5})
    cut = FileData(data="né".encode()[:2], total_bytes=3, version=1)
    assert data_of(cut) == {"text": "n", "bytes": 1, "total_bytes": 3, "version": 1}
    binary = FileData(data=b"\xff\x00", total_bytes=2, version=1)
    assert data_of(binary)["base64"] == "/wA="
