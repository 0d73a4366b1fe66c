"""LLM calls over HTTP have so many places: who finds none is told so at once, in its own words."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from aios.server.settings import Settings
from aios.syscalls import Spawn
from tests.server.house import SLOW, House, house, lived, soon

ASKED = {"messages": [{"role": "user", "content": "hi"}], "prompt": "hi", "input": "hi"}
PATHS = (
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/responses",
    "/v1/messages",
    "/api/syscalls/llm.generate",
    "/api/syscalls/llm.stream",
)


async def waiting(home: House) -> asyncio.Task[None]:
    """A call that holds a place until it is cancelled."""

    async def call() -> None:
        async with home.http.post("/v1/chat/completions", json=ASKED | {"stream": True}) as told:
            await told.read()

    task = asyncio.ensure_future(call())
    await soon(lambda: home.running == 1, 30)
    return task


@pytest.mark.parametrize("path", PATHS)
def test_a_call_without_a_place_is_refused_before_its_body_is_read(path: str) -> None:
    async def main() -> None:
        async with house(script=SLOW, settings=Settings(llm_calls_max=1)) as home:
            first = await waiting(home)
            async with home.http.post(path, data=b"no JSON, and nobody reads it") as told:
                found = await told.json()
                assert told.status == 429, found
                assert int(told.headers["retry-after"]) >= 1
                assert told.headers["x-should-retry"] == "true"
            assert "1 LLM calls are open" in found["error"]["message"]
            first.cancel()

    lived(main)


def test_other_calls_need_no_place_and_one_that_is_free_again_is_given_away() -> None:
    async def main() -> None:
        async with house(script=SLOW, settings=Settings(llm_calls_max=1)) as home:
            first = await waiting(home)
            async with home.http.post("/api/syscalls/process.list") as told:
                assert told.status == 200
            first.cancel()
            await soon(lambda: home.running == 0, 30)
            second = await waiting(home)
            second.cancel()

    lived(main)


def test_a_call_that_is_refused_for_another_reason_gives_its_place_back() -> None:
    async def main() -> None:
        async with house(lambda _: "yes", settings=Settings(llm_calls_max=1)) as home:
            for path in PATHS:
                for _ in range(3):
                    async with home.http.post(path, data=b"{") as told:
                        assert told.status == 400
            async with home.http.post("/v1/chat/completions", json=ASKED) as told:
                assert told.status == 200

    lived(main)


def test_who_sends_slowly_leaves_places_for_others() -> None:
    async def main() -> None:
        async with house(lambda _: "yes", settings=Settings(llm_calls_max=8)) as home:
            child = await home.kernel.call(home.token, Spawn(name="child"))
            other = await home.kernel.call(home.kernel.token, Spawn(name="other"))
            slow = []
            for token in (home.token, child.token) * 6:
                _, writer = await asyncio.open_connection("127.0.0.1", home.port)
                head = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 999\r\n"
                writer.write(f"{head}x-api-key: {token}\r\n\r\n{{".encode())
                slow.append(writer)
            refused = {"x-api-key": child.token, "authorization": ""}
            await until(home, refused, 429)
            welcome = {"x-api-key": other.token, "authorization": ""}
            assert await status(home, welcome) == 200
            for writer in slow:
                writer.close()
            await until(home, refused, 200)

    lived(main)


async def status(home: House, headers: dict[str, str]) -> int:
    async with home.http.post("/v1/chat/completions", json=ASKED, headers=headers) as told:
        await told.read()
        return told.status


async def until(home: House, headers: dict[str, str], wanted: int) -> None:
    async with asyncio.timeout(20):
        while await status(home, headers) != wanted:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


def test_who_listens_often_leaves_streams_for_others() -> None:
    async def main() -> None:
        async with house(lambda _: "yes", settings=Settings(feeds_max=8)) as home:
            other = await home.kernel.call(home.kernel.token, Spawn(name="other"))
            welcome = {"x-api-key": other.token, "authorization": ""}
            async with AsyncExitStack() as streams:
                for status in [200] * 7 + [429]:
                    told = await streams.enter_async_context(home.http.get("/api/events"))
                    assert told.status == status
                async with home.http.get("/api/events", headers=welcome) as told:
                    assert told.status == 200

    lived(main)
