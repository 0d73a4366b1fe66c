"""The official MCP client against /mcp, by the present protocol and by the ones before."""

import asyncio
from pathlib import Path

import pytest
from mcp import Client, MCPError

from aios.errors import NotFound
from aios.sdk import tool
from aios.syscalls import Spawn
from aios.syscalls.file import ReadFile
from tests.server.full_house import add, client, full_house, tool_house
from tests.server.house import lived, soon

BOTH = pytest.mark.parametrize("mode", ["auto", "2026-07-28", "legacy"])


def said(result: object) -> str:
    return "".join(block.text for block in result.content)  # type: ignore[attr-defined]


async def made(opened: Client, called: str, /, **arguments: object) -> str:
    result = await opened.call_tool(called, arguments)
    assert not result.is_error, said(result)
    return said(result)


@BOTH
def test_tools_are_listed_with_schemas_and_called(mode: str) -> None:
    async def main() -> None:
        async with tool_house() as home, client(home, mode=mode) as opened:
            listed = {one.name: one for one in (await opened.list_tools()).tools}
            assert set(listed["local_add"].input_schema["properties"]) == {"a", "b"}
            result = await opened.call_tool("local_add", {"a": 2, "b": 3})
            assert (said(result), result.is_error) == ("5", False)
            wrong = await opened.call_tool("local_add", {"a": "two", "b": 3})
            assert wrong.is_error
            assert "a" in said(wrong)
            failed = await opened.call_tool("local_fail", {"why": "no luck"})
            assert failed.is_error
            assert "no luck" in said(failed)
            with pytest.raises(MCPError, match="no tool 'nix'"):
                await opened.call_tool("nix", {})

    lived(main)


@BOTH
def test_memory_and_files_are_the_agents_whose_token_it_is(mode: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with full_house(tmp_path) as home:
            other = (await home.kernel.call(home.kernel.token, Spawn(name="other"))).token
            async with client(home, mode=mode) as mine, client(home, other, mode=mode) as theirs:
                names = {one.name for one in (await mine.list_tools()).tools}
                assert {"aios_calculator", "file_read"} <= names
                assert not names & {"aios_files_read", "aios_notes_add", "aios_search"}
                await made(mine, "file_write", path="trips/rome.txt", text="día 1: Foro")
                await made(mine, "file_edit", path="trips/rome.txt", old="Foro", new="Ara Pacis")
                told = await mine.call_tool("file_read", {"path": "trips/rome.txt"})
                assert said(told) == "día 1: Ara Pacis"
                assert told.structured_content["version"] == 2
                assert '"version":2' in await made(mine, "file_versions", path="trips/rome.txt")
                await made(mine, "file_rollback", path="trips/rome.txt", steps=1)
                assert await made(mine, "file_read", path="trips/rome.txt") == "día 1: Foro"
                assert "rome.txt" in await made(mine, "file_list", path="trips")
                gone = await theirs.call_tool("file_read", {"path": "trips/rome.txt"})
                assert gone.is_error
                assert said(gone).startswith("not_found")
                await made(mine, "memory_append", name="plan", text="go")
                assert await made(mine, "memory_read", name="plan") == "go"
                await made(mine, "note_add", text="Anna prefers window seats", tags=["anna"])
                found = ""
                while '"pending":0' not in found:
                    found = await made(mine, "note_search", query="window seats")
                assert "Anna prefers" in found
                assert "Anna" not in await made(theirs, "note_search", query="window seats")
            kept = await home.kernel.call(home.token, ReadFile(path="trips/rome.txt"))
            assert kept.data.decode() == "día 1: Foro"
            with pytest.raises(NotFound):
                await home.kernel.call(other, ReadFile(path="trips/rome.txt"))

    lived(main)


@BOTH
def test_a_call_that_its_client_gives_up_is_cancelled(mode: str) -> None:
    began, ended = asyncio.Event(), asyncio.Event()

    @tool
    async def forever() -> str:
        """Does not end by itself."""
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return ""

    async def main() -> None:
        async with tool_house([forever, add]) as home, client(home, mode=mode) as opened:
            call = asyncio.ensure_future(opened.call_tool("local_forever", {}))
            await began.wait()
            call.cancel()
            await ended.wait()
            assert await made(opened, "local_add", a=1, b=1) == "2"
            await soon(lambda: home.kernel.gate.live == 0)

    lived(main)


def test_a_wrong_token_is_refused() -> None:
    async def main() -> None:
        async with tool_house() as home:
            with pytest.raises(BaseException) as refused:  # noqa: PT011 - a group, or the error
                async with client(home, "nobody"):
                    pass
            assert refused.value is not None

    lived(main)
