"""Every syscall over HTTP as JSON, events as they happen, and what the server tells of itself."""

import asyncio
import json

import jsonschema
import msgspec
import pytest

from aios.server.openapi import document
from aios.server.settings import Settings
from aios.syscalls import Generate, Spawn
from aios.syscalls.base import reply_of
from aios.syscalls.table import SYSCALLS
from aios.testing.cores import ScriptedCore
from tests.server.house import House, house, lived, soon


async def post(home: House, syscall: str, /, **fields: object) -> tuple[int, object]:
    async with home.http.post(f"/api/syscalls/{syscall}", json=fields) as told:
        return told.status, await told.json()


def test_a_syscall_is_its_fields_and_answers_with_its_reply() -> None:
    async def main() -> None:
        async with house() as home:
            status, me = await post(home, "process.whoami")
            assert (status, me["name"]) == (200, "agent")  # type: ignore[index]
            _, child = await post(home, "process.spawn", name="child", priority=2)
            _, told = await post(home, "process.inspect", pid=child["pid"])  # type: ignore[index]
            assert told["parent"] == me["pid"]  # type: ignore[index]
            prompt = msgspec.to_builtins(Generate(prompt="hi"))
            _, completion = await post(home, "llm.generate", **prompt)
            assert completion["model"] == "scripted"  # type: ignore[index]

    lived(main)


def test_errors_tell_their_code_and_fit_a_status() -> None:
    async def main() -> None:
        async with house() as home:
            expected = {
                ("process.inspect", 999): (404, "not_found"),
                ("process.inspect", 1): (404, "not_found"),
                ("process.inspect", "x"): (400, "invalid_argument"),
                ("process.nix", 1): (404, "not_found"),
            }
            for (name, pid), (status, code) in expected.items():
                found, body = await post(home, name, pid=pid)
                assert (found, body["error"]["code"]) == (status, code)  # type: ignore[index]
            refused, body = await post(home, "access.grant", to="somebody", verbs="*")
            assert (refused, body["error"]["code"]) == (403, "denied")  # type: ignore[index]
            late, body = await post(home, "process.receive", timeout_s=0.01)
            assert (late, body["error"]["code"]) == (504, "deadline_exceeded")  # type: ignore[index]

    lived(main)


def test_a_stream_is_events_of_deltas_and_a_completion() -> None:
    async def main() -> None:
        async with house(lambda _: "one two") as home:
            call = {"generate": msgspec.to_builtins(Generate(prompt="hi"))}
            async with home.http.post("/api/syscalls/llm.stream", json=call) as told:
                assert told.headers["content-type"].startswith("text/event-stream")
                text = await told.text()
            kinds = [one.partition("\n")[0] for one in text.strip().split("\n\n")]
            assert kinds == ["event: delta", "event: delta", "event: completion"]

    lived(main)


def test_events_are_told_to_the_first_process_all_and_to_others_their_own() -> None:
    async def main() -> None:
        async with house() as home:
            everyone = {"authorization": f"Bearer {home.kernel.token}"}
            async with (
                home.http.get("/api/events", headers=everyone) as all_,
                home.http.get("/api/events") as own,
            ):
                await all_.content.readuntil(b": open\n\n")
                await own.content.readuntil(b": open\n\n")
                await home.kernel.call(home.kernel.token, Spawn(name="stranger"))
                await home.kernel.call(home.token, Spawn(name="child"))
                seen = [await all_.content.readuntil(b"\n\n") for _ in range(2)]
                mine = await own.content.readuntil(b"\n\n")
            assert [name(one) for one in seen] == ["stranger", "child"]
            assert name(mine) == "child"

    lived(main)


def name(event: bytes) -> str:
    kind, data = event.decode().strip().split("\n")
    assert kind == "event: spawned"
    told = json.loads(data.removeprefix("data: "))
    return str(told["name"])


def test_a_reader_that_is_too_slow_is_told_how_many_events_it_lost() -> None:
    async def main() -> None:
        async with (
            house(settings=Settings(feed_events_max=3)) as home,
            home.http.get("/api/events") as feed,
        ):
            await feed.content.readuntil(b": open\n\n")
            for number in range(10):  # within one turn of the loop: nobody reads meanwhile
                await home.kernel.call(home.token, Spawn(name=f"child-{number}"))
            lost = b'event: lost\ndata: {"events":7}\n\n'
            assert await feed.content.readuntil(b"\n\n") == lost
            assert name(await feed.content.readuntil(b"\n\n")) == "child-7"

    lived(main)


def test_a_stream_without_news_is_kept_alive_and_forgotten_when_it_closes() -> None:
    async def main() -> None:
        async with house(settings=Settings(early_s=0.02, keepalive_s=0.02)) as home:
            async with home.http.get("/api/events") as feed:
                await feed.content.readuntil(b": keep-alive\n\n")
            async with home.http.post("/api/syscalls/process.whoami") as told:
                assert told.status == 200

    lived(main)


def test_the_server_tells_of_itself_without_a_token() -> None:
    async def main() -> None:
        async with house(lambda _: "yes") as home:
            chat = {"messages": [{"role": "user", "content": "hi"}]}
            async with home.http.post("/v1/chat/completions", json=chat) as told:
                assert told.status == 200
            for path in ("/health", "/health/ready", "/version", "/openapi.json", "/docs"):
                async with home.http.get(path, headers={"authorization": ""}) as told:
                    assert told.status == 200, path
            async with home.http.get("/metrics") as told:
                text = await told.text()
            assert 'aios_http_requests_total{route="/v1/chat/completions",status="200"} 1.0' in text
            assert 'aios_generations_total{outcome="done"} 1.0' in text
            assert "aios_generation_wait_seconds_count 1.0" in text
            assert 'aios_lanes{core="0",model="scripted"}' in text

    lived(main)


def test_openapi_describes_every_syscall_by_what_it_takes_and_tells() -> None:
    told = document()
    assert {f"/api/syscalls/{name}" for name in SYSCALLS} == told["paths"].keys()
    schema = {
        "$ref": "#/components/schemas/Generate",
        "components": told["components"],
    }
    jsonschema.validate({"prompt": "hi", "decoding": {"max_tokens": 5}}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"prompt": 5}, schema)


@pytest.mark.parametrize("name", sorted(SYSCALLS))
def test_every_syscall_has_a_reply_type(name: str) -> None:
    assert isinstance(reply_of(SYSCALLS[name]), type)


def test_a_kernel_that_stops_answers_those_who_wait_and_is_no_longer_ready() -> None:
    async def main() -> None:
        async with house() as home:
            waiting = asyncio.ensure_future(post(home, "process.receive"))
            while not home.kernel.gate.live:  # noqa: ASYNC110 - the kernel has no event for it
                await asyncio.sleep(0.001)
            await home.kernel.close()
            status, body = await waiting
            assert (status, body["error"]["code"]) == (503, "shutting_down")  # type: ignore[index]
            async with home.http.get("/health/ready") as told:
                assert (told.status, told.headers["retry-after"]) == (503, "5")

    lived(main)


def test_a_server_whose_engine_is_gone_for_good_is_not_ready() -> None:
    async def main() -> None:
        async with house() as home:
            loop = home.kernel.loops[0]
            assert isinstance(loop.core, ScriptedCore)
            loop.core.crash("it died too often", final=True)
            await soon(lambda: bool(loop.gone))
            async with home.http.get("/health/ready") as told:
                body = await told.json()
            assert (told.status, body["error"]["code"]) == (502, "core_failed")
            assert "it died too often" in body["error"]["message"]
            async with home.http.get("/health") as told:
                assert told.status == 200

    lived(main)
