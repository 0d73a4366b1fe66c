"""Agents of the kernel by A2A: the official client, and requests written by hand."""

import asyncio
import importlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from aios.sdk import Client
from aios.server.a2a import tasks
from aios.server.settings import Settings
from aios.syscalls import List, Pid, Spawn
from tests.server.house import House, house, lived, soon

SETTINGS = Settings(a2a={"writer": "Writes verses.", "cook": "Cooks.", "gone": "Was here."})
Body = dict[str, Any]


async def cook(transport: Any, token: str, argument: Any) -> Any:
    """Is run for each task."""
    if argument == "burn":
        raise ValueError("too hot")
    if argument == "forever":
        await asyncio.Event().wait()
    return f"cooked {argument}"


class Writer:
    """An agent that reads its mailbox, and answers as the text of each message wants it."""

    def __init__(self, home: House, token: str) -> None:
        self._client = Client(home.kernel, token)
        self.heard: list[Body] = []

    async def live(self) -> None:
        while True:
            mail = await self._client.receive()
            self.heard.append(mail.body)
            for answer in self._answers(mail.body):
                await self._client.send(mail.sender, answer)

    def _answers(self, body: Body) -> list[Any]:
        text = body.get("text", "")
        if "cancel" in body or text == "wait":
            return []
        if text == "ask":
            return [{"state": "input-required", "text": "about what?"}]
        if text == "fail":
            return [{"state": "failed", "text": "no rhyme"}]
        if text == "oddly":
            return [{"state": ["completed"], "data": 7}]
        if text == "plainly":
            return [{"answer": 7}]
        if text == "on and on":
            return [{"state": "input-required", "text": "?" * 100_000}]
        if text == "slowly":
            return [{"state": "working", "text": "thinking"}, {"data": {"lines": 2}}]
        return [f"a verse about {text}"]


@asynccontextmanager
async def served() -> AsyncIterator[tuple[House, Writer]]:
    async with house(settings=SETTINGS, programs={"cook": cook}) as home:
        token = (await home.kernel.call(home.kernel.token, Spawn(name="writer"))).token
        writer = Writer(home, token)
        life = asyncio.ensure_future(writer.live())
        try:
            yield home, writer
        finally:
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)


async def ask(home: House, method: str, params: Any, name: str = "writer", **headers: str) -> Body:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    async with home.http.post(f"/a2a/{name}", json=body, headers=headers) as told:
        found: Body = await told.json()
        assert found["id"] == 1
        return found


def message(text: str, **more: Any) -> Body:
    return {"message": {"messageId": "m", "role": "ROLE_USER", "parts": [{"text": text}], **more}}


async def stream(home: House, method: str, params: Body) -> list[Body]:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    async with home.http.post("/a2a/writer", json=body) as told:
        lines = (await told.text()).splitlines()
    return [
        json.loads(line.removeprefix("data: "))["result"] for line in lines if line[:5] == "data:"
    ]


def test_the_official_client_finds_an_agent_and_talks_to_it() -> None:
    a2a_client = pytest.importorskip("a2a.client", reason="pip install a2a-sdk")
    httpx = importlib.import_module("httpx")
    types = importlib.import_module("a2a.types.a2a_pb2")

    async def main() -> None:
        async with served() as (home, _):
            headers = {"authorization": f"Bearer {home.token}"}
            async with httpx.AsyncClient(headers=headers, timeout=30) as http:
                for streaming in (True, False):
                    config = a2a_client.ClientConfig(httpx_client=http, streaming=streaming)
                    client = await a2a_client.ClientFactory(config).create_from_url(
                        f"{home.url}/a2a/writer"
                    )
                    said = types.Message(
                        message_id="m", role=types.ROLE_USER, parts=[types.Part(text="rain")]
                    )
                    heard = ""
                    task_id = ""
                    request = types.SendMessageRequest(message=said)
                    async for event in client.send_message(request):
                        for part in (
                            *(p for one in event.task.artifacts for p in one.parts),
                            *event.artifact_update.artifact.parts,
                        ):
                            heard += part.text
                        task_id = event.task.id or task_id
                    assert heard == "a verse about rain"
                    found = await client.get_task(types.GetTaskRequest(id=task_id))
                    assert found.status.state == types.TASK_STATE_COMPLETED

    lived(main)


def test_cards_are_of_agents_that_take_part_and_need_no_token() -> None:
    async def main() -> None:
        async with served() as (home, _):
            home.http.headers.clear()
            async with home.http.get("/.well-known/agent-card.json") as told:
                card = await told.json()
            assert (card["name"], card["url"]) == ("writer", f"{home.url}/a2a/writer")
            async with home.http.get("/a2a/cook/.well-known/agent-card.json") as told:
                assert (await told.json())["description"] == "Cooks."
            async with home.http.get("/a2a/agent/.well-known/agent-card.json") as told:
                assert told.status == 404
            async with home.http.post("/a2a/writer", json={}) as told:
                assert told.status == 401
        async with house() as home, home.http.get("/.well-known/agent-card.json") as told:
            assert told.status == 404

    lived(main)


@pytest.mark.parametrize(
    ("method", "state"), [("SendMessage", "TASK_STATE_COMPLETED"), ("message/send", "completed")]
)
def test_an_agent_answers_in_the_clients_version(method: str, state: str) -> None:
    async def main() -> None:
        async with served() as (home, writer):
            result = (await ask(home, method, message("rain", contextId="c")))["result"]
            task = result.get("task", result)
            assert task["status"]["state"] == state
            assert task["contextId"] == "c"
            assert task["artifacts"][0]["parts"][0]["text"] == "a verse about rain"
            assert writer.heard[0]["text"] == "rain"

    lived(main)


def test_an_agent_may_ask_and_is_answered_within_the_task() -> None:
    async def main() -> None:
        async with served() as (home, writer):
            task = (await ask(home, "message/send", message("ask")))["result"]
            assert task["status"]["state"] == "input-required"
            assert task["status"]["message"]["parts"][0]["text"] == "about what?"
            more = message("snow", taskId=task["id"])
            done = (await ask(home, "message/send", more))["result"]
            assert done["id"] == task["id"]
            assert done["artifacts"][0]["parts"][0]["text"] == "a verse about snow"
            assert {one["task"] for one in writer.heard} == {task["id"]}
            late = await ask(home, "message/send", more)
            assert late["error"]["code"] == -32004

    lived(main)


def test_news_are_streamed_in_order() -> None:
    async def main() -> None:
        async with served() as (home, _):
            told = await stream(home, "message/stream", message("slowly"))
            assert told[0]["kind"] == "task"
            states = [one["status"]["state"] for one in told if one["kind"] == "status-update"]
            assert states == ["working", "working", "completed"]
            assert told[-1]["final"]
            assert told[-2]["artifact"]["parts"][0]["data"] == {"lines": 2}
            again = await stream(home, "tasks/resubscribe", {"id": told[0]["id"]})
            assert [one["status"]["state"] for one in again] == ["completed"]
            new = await stream(home, "SendStreamingMessage", message("fail"))
            assert new[-1]["statusUpdate"]["status"]["state"] == "TASK_STATE_FAILED"

    lived(main)


def test_a_hosted_agent_is_run_for_each_task() -> None:
    async def main() -> None:
        async with served() as (home, _):
            task = (await ask(home, "message/send", message("soup"), "cook"))["result"]
            assert task["artifacts"][0]["parts"][0]["text"] == "cooked soup"
            burnt = (await ask(home, "message/send", message("burn"), "cook"))["result"]
            assert burnt["status"]["state"] == "failed"
            assert "too hot" in burnt["status"]["message"]["parts"][0]["text"]

    lived(main)


async def living(home: House) -> set[Pid]:
    return {one.pid for one in (await home.kernel.call(home.kernel.token, List())).processes}


@pytest.mark.parametrize(("name", "text"), [("writer", "wait"), ("cook", "forever")])
def test_a_task_is_given_up_and_leaves_no_process(name: str, text: str) -> None:
    async def main() -> None:
        async with served() as (home, writer):
            before = await living(home)
            at_once = message(text) | {"configuration": {"blocking": False}}
            task = (await ask(home, "message/send", at_once, name))["result"]
            assert task["status"]["state"] in ("submitted", "working")
            stranger = f"Bearer {home.kernel.token}"
            theirs = await ask(home, "tasks/cancel", {"id": task["id"]}, authorization=stranger)
            assert theirs["error"]["code"] == -32001
            done = (await ask(home, "tasks/cancel", {"id": task["id"]}))["result"]
            assert done["status"]["state"] == "canceled"
            assert (await ask(home, "tasks/cancel", {"id": task["id"]}))["error"]["code"] == -32002
            assert await living(home) == before
            if name == "writer":
                await soon(lambda: writer.heard[-1].get("cancel") is True)

    lived(main)


def test_a_client_that_leaves_finds_its_task_again() -> None:
    async def main() -> None:
        async with served() as (home, writer):
            waiting = asyncio.ensure_future(ask(home, "message/send", message("wait")))
            await soon(lambda: len(writer.heard) == 1)
            waiting.cancel()
            id = writer.heard[0]["task"]
            task = (await ask(home, "tasks/get", {"id": id}))["result"]
            assert task["status"]["state"] == "working"
            await ask(home, "tasks/cancel", {"id": id})

    lived(main)


def test_what_is_wrong_is_told_as_json_rpc() -> None:
    async def main() -> None:
        async with served() as (home, _):
            cases: list[tuple[str, Any, int]] = [
                ("message/nix", {}, -32601),
                ("message/send", {}, -32602),
                ("message/send", {"message": {"parts": []}}, -32602),
                ("message/send", {"message": {"parts": [{"url": "http://x"}]}}, -32602),
                ("message/send", {"message": {"parts": [{"text": 5}]}}, -32602),
                ("message/send", message("x", taskId="nix"), -32001),
                ("message/send", message("x", contextId="c" * 1_000), -32602),
                ("tasks/get", {"id": {}}, -32001),
                ("tasks/get", {}, -32001),
            ]
            for method, params, code in cases:
                assert (await ask(home, method, params))["error"]["code"] == code, (method, params)
            gone = await ask(home, "message/send", message("x"), "gone")
            assert gone["error"]["data"] == {"code": "not_found"}
            async with home.http.post("/a2a/writer", data=b"{") as told:
                assert (told.status, (await told.json())["error"]["code"]) == (400, -32700)

    lived(main)


def test_nobody_else_answers_for_an_agent() -> None:
    async def main() -> None:
        async with served() as (home, _):
            task = (await ask(home, "message/send", message("ask")))["result"]
            table = home.kernel.table
            asker = next(one.pid for one in table.all(ended=False) if task["id"] in one.name)
            stranger = (await home.kernel.call(home.kernel.token, Spawn(name="stranger"))).token
            await Client(home.kernel, stranger).send(asker, "a verse of mine")
            more = message("snow", taskId=task["id"])
            done = (await ask(home, "message/send", more))["result"]
            assert done["artifacts"][0]["parts"][0]["text"] == "a verse about snow"

    lived(main)


def test_a_message_that_cannot_be_delivered_leaves_no_process_and_may_be_said_again() -> None:
    async def main() -> None:
        async with served() as (home, _):
            before = await living(home)
            too_large = {"message": {"parts": [{"data": 2**70}]}}
            for method in ("message/send", "message/stream", "SendMessage"):
                assert (await ask(home, method, too_large))["error"]["data"]
            assert await living(home) == before
            task = (await ask(home, "message/send", message("ask")))["result"]
            too_large["message"]["taskId"] = task["id"]
            assert (await ask(home, "message/send", too_large))["error"]["data"]
            found = (await ask(home, "tasks/get", {"id": task["id"]}))["result"]
            assert found["status"]["state"] == "input-required"
            assert found["status"]["message"]["parts"][0]["text"] == "about what?"
            more = message("snow", taskId=task["id"])
            done = (await ask(home, "message/send", more))["result"]
            assert done["artifacts"][0]["parts"][0]["text"] == "a verse about snow"

    lived(main)


@pytest.mark.parametrize(("text", "data"), [("oddly", 7), ("plainly", {"answer": 7})])
def test_an_answer_of_another_form_is_an_answer(text: str, data: Any) -> None:
    async def main() -> None:
        async with served() as (home, _):
            task = (await ask(home, "message/send", message(text)))["result"]
            assert task["status"]["state"] == "completed"
            assert task["artifacts"][0]["parts"][0]["data"] == data

    lived(main)


def test_an_agent_that_asks_without_end_fills_no_memory() -> None:
    async def main() -> None:
        async with served() as (home, _):
            task = (await ask(home, "message/send", message("on and on")))["result"]
            rounds = 0
            while task["status"]["state"] == "input-required":
                rounds += 1
                assert rounds < 100
                more = message("on and on", taskId=task["id"])
                task = (await ask(home, "message/send", more))["result"]
            assert task["status"]["state"] == "failed"

    lived(main)


def test_nobody_loses_a_task_to_anothers_many_children(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "TASKS_MAX", 20)
    monkeypatch.setattr(tasks, "OF_ONE_MAX", 10)

    async def main() -> None:
        async with served() as (home, _):
            mine = (await ask(home, "message/send", message("ask")))["result"]
            other = (await home.kernel.call(home.kernel.token, Spawn(name="other"))).token
            for number in range(30):
                child = (await home.kernel.call(other, Spawn(name=f"child-{number}"))).token
                theirs = await ask(
                    home, "message/send", message("x"), authorization=f"Bearer {child}"
                )
                assert theirs["result"]["status"]["state"] == "completed"
            found = (await ask(home, "tasks/get", {"id": mine["id"]}))["result"]
            assert found["status"]["state"] == "input-required"

    lived(main)
