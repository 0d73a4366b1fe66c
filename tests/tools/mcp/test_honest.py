"""A server as its author means it: found, called, cancelled, connected again."""

import asyncio
import contextlib
import socket
import sys
from pathlib import Path

import msgspec
import pytest

from aios.clock import LoopClock
from aios.errors import Denied, InvalidArgument, NotFound, WrongState
from aios.sandbox.room import open_sandbox
from aios.syscalls.tool import AddServer, Image, Json, RemoveServer, Text
from aios.tools.mcp.connection import Connection
from aios.tools.mcp.programs import start_plain
from aios.tools.mcp.streams import Guard, over_socket
from aios.tools.mcp.web import over_http
from tests.tools.mcp.house import HERE, House, house, lived


def test_its_tools_are_pinned_listed_and_called() -> None:
    async def main(house: House) -> None:
        listed = await house.honest()
        assert {one.name: one.state for one in listed.tools}["honest/add"] == "ready"
        said = await house.call("honest/add", a=20, b=22)
        assert (said.text, said.source, said.is_error) == ("42", "mcp:honest", False)

    lived(main)


def test_arguments_are_checked_before_it_is_asked() -> None:
    async def main(house: House) -> None:
        await house.honest()
        wrong = await house.call("honest/add", a="many", b=1)
        assert wrong.is_error
        assert "expected integer" in wrong.text

    lived(main)


def test_contents_keep_their_types() -> None:
    async def main(house: House) -> None:
        await house.honest()
        shown = await house.call("honest/picture")
        text, image, link = shown.contents
        assert text == Text("look")
        assert image == Image(data=b"PNG", media_type="image/png")
        assert link == Json({"resource": "file:///a.txt", "name": "a", "bytes": 3})
        data = await house.call("honest/city", name="Oslo")
        assert data.contents == (Json({"name": "Oslo", "people": 12}),)

    lived(main)


def test_its_own_failure_is_told_as_the_tools() -> None:
    async def main(house: House) -> None:
        await house.honest()
        failed = await house.call("honest/fail")
        assert failed.is_error
        assert "Error executing tool fail" in failed.text

    lived(main)


def test_a_danger_that_it_admits_counts_and_a_harmlessness_does_not() -> None:
    async def main(house: House) -> None:
        await house.honest("strange")
        wipe, add = await house.tool("strange/wipe"), await house.tool("strange/add")
        assert wipe.final
        assert "(By its server: destructive.)" in wipe.description
        assert (add.final, add.outside, add.repeatable) == (False, True, False)
        await house.honest("known", believe_hints=True)
        assert (await house.tool("known/add")).repeatable

    lived(main)


def test_a_tool_that_it_has_later_is_seen_and_waits_to_be_accepted() -> None:
    async def main(house: House) -> None:
        await house.honest()
        assert (await house.call("honest/grow")).text == "grown"
        async with asyncio.timeout(10):
            while not (await house.listed("honest/newer")):  # noqa: ASYNC110 - its own doing
                await asyncio.sleep(0.02)
        assert (await house.tool("honest/newer")).state == "changed"
        with pytest.raises(WrongState, match="never accepted"):
            await house.call("honest/newer")
        assert (await house.call("honest/add", a=1, b=1)).text == "2"

    lived(main)


@pytest.mark.parametrize("way", ["socket", "http"])
def test_the_current_protocol_is_spoken_where_it_can_be(way: str) -> None:
    async def body() -> None:
        guard = Guard(LoopClock())
        async with contextlib.AsyncExitStack() as stack:
            if way == "http":
                transport = over_http(await stack.enter_async_context(_served()), {}, guard)
            else:
                talk = start_plain([sys.executable, str(HERE / "honest.py")], {})
                stack.push_async_callback(talk.end)
                transport = over_socket(talk.connection, guard)
            connection = await Connection.open(transport, guard, lambda: None)
            stack.push_async_callback(connection.close)
            assert connection.version == "2026-07-28"

    asyncio.run(body())


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_earlier_protocols_are_spoken_too(version: str) -> None:
    script = (
        "import sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "import liar\n"
        "class Older(liar.Server):\n"
        "    def initialize(self, asked):\n"
        "        return {**super().initialize(asked), 'protocolVersion': sys.argv[2]}\n"
        "Older('').serve()\n"
    )

    async def main(house: House) -> None:
        await house.add("older", sys.executable, "-c", script, str(HERE), version)
        assert (await house.call("older/echo", text="x")).text == "x"

    lived(main)


def test_calls_run_side_by_side() -> None:
    async def main(house: House) -> None:
        await house.honest()
        loop = asyncio.get_running_loop()
        began = loop.time()
        naps = [house.call("honest/nap", seconds=0.4) for _ in range(10)]
        rested = await asyncio.gather(*naps)
        assert {one.text for one in rested} == {"rested"}
        assert loop.time() - began < 2.0

    lived(main)


def test_a_call_past_its_time_is_cancelled_at_the_server(tmp_path: Path) -> None:
    log = tmp_path / "log"

    async def main(house: House) -> None:
        program = f"exec {sys.executable} {HERE / 'honest.py'} 2>>{log}"
        await house.add("honest", "sh", "-c", program)
        late = await house.call("honest/nap", timeout_s=0.3, seconds=30)
        assert late.is_error
        assert "timeout" in late.text
        async with asyncio.timeout(5):
            while "cancelled" not in log.read_text():  # noqa: ASYNC110 - another program's doing
                await asyncio.sleep(0.02)
        assert (await house.call("honest/add", a=1, b=1)).text == "2"

    lived(main)


def test_in_a_sandbox_it_sees_what_its_command_names_and_the_result_tells_the_tier() -> None:
    async def body() -> None:
        async with open_sandbox() as sandbox, house(sandbox) as one:
            await one.honest(sandboxed=True)
            said = await one.call("honest/add", a=1, b=2)
            assert (said.text, said.sandbox) == ("3", sandbox.tier.name)
            assert not (await one.tool("honest/add")).outside

    asyncio.run(body())


def test_without_a_sandbox_a_program_is_refused_unless_it_is_trusted() -> None:
    async def main(house: House) -> None:
        with pytest.raises(Denied, match="sandboxed=False"):
            await house.honest(sandboxed=True)

    lived(main)


def test_it_is_given_its_environment_with_secrets_and_none_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OURS", "private")
    script = (
        "import json, os, sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "import liar\n"
        "class Tells(liar.Server):\n"
        "    def call(self, asked):\n"
        "        return self.said(json.dumps([os.environ.get('KEY'), os.environ.get('OURS')]))\n"
        "Tells('').serve()\n"
    )

    async def main(house: House) -> None:
        given = {"KEY": "Bearer secret:token"}
        await house.add("tells", sys.executable, "-c", script, str(HERE), environment=given)
        told = await house.call("tells/echo")
        assert msgspec.json.decode(told.text) == ["Bearer the-token", None]

    lived(main)


def test_a_removed_server_is_gone_with_its_program(tmp_path: Path) -> None:
    pid = tmp_path / "pid"

    async def main(house: House) -> None:
        await house.add(
            "honest", "sh", "-c", f"echo $$ >{pid}; exec {sys.executable} {HERE / 'honest.py'}"
        )
        await house.kernel.call(house.kernel.token, RemoveServer(name="honest"))
        with pytest.raises(NotFound):
            await house.call("honest/add", a=1, b=2)
        assert not Path(f"/proc/{int(pid.read_text())}").exists()  # noqa: ASYNC240 - a test's own file

    lived(main)


def test_over_http_it_is_the_same() -> None:
    async def main(house: House) -> None:
        async with _served() as url:
            await house.kernel.call(house.kernel.token, AddServer(name="web", url=url))
            assert (await house.call("web/add", a=2, b=3)).text == "5"
            late = await house.call("web/nap", timeout_s=0.3, seconds=30)
            assert "timeout" in late.text
            assert (await house.tool("web/add")).outside
        gone = await house.call("web/add", a=2, b=3)
        assert gone.is_error

    lived(main)


def test_over_http_it_is_found_again_after_a_restart() -> None:
    async def main(house: House) -> None:
        async with _served() as url:
            await house.kernel.call(house.kernel.token, AddServer(name="web", url=url))
        assert (await house.call("web/add", a=2, b=3)).is_error
        async with _served(int(url.split(":")[2].split("/")[0])):
            async with asyncio.timeout(10):
                while (await house.call("web/add", a=2, b=3)).is_error:  # noqa: ASYNC110 - another program's doing
                    await asyncio.sleep(0.05)

    lived(main)


@pytest.mark.parametrize("url", ["ftp://a.example/", "file:///etc/passwd", "a.example"])
def test_other_urls_are_refused(url: str) -> None:
    async def main(house: House) -> None:
        with pytest.raises(InvalidArgument, match="expected http"):
            await house.kernel.call(house.kernel.token, AddServer(name="web", url=url))

    lived(main)


def test_a_program_that_is_not_there_is_told() -> None:
    async def main(house: House) -> None:
        with pytest.raises(WrongState, match="cannot be started"):
            await house.add("none", "/no/such/program")

    lived(main)


@contextlib.asynccontextmanager
async def _served(port: int = 0):  # type: ignore[no-untyped-def]
    """The honest server over HTTP."""
    if not port:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(HERE / "honest.py"), str(port), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(15):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    break
                except OSError:
                    await asyncio.sleep(0.05)
        writer.close()
        await writer.wait_closed()
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        await process.wait()
