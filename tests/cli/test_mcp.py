"""`aios mcp` as an assistant starts it: the official client over the program's stdin and stdout."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.server.full_house import tool_house
from tests.server.house import House, lived

ROOT = Path(__file__).parents[2]


def environment(home: House) -> dict[str, str]:
    place = {"AIOS_URL": home.url, "AIOS_TOKEN": home.token}
    return os.environ | place | {"PYTHONPATH": str(ROOT / "src")}


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_an_assistant_has_the_kernels_tools(mode: str) -> None:
    async def main() -> None:
        async with tool_house() as home:
            started = StdioServerParameters(
                command=sys.executable, args=["-m", "aios", "mcp"], env=environment(home)
            )
            async with Client(stdio_client(started), mode=mode) as client:
                tools = await client.list_tools()
                assert "local_add" in {one.name for one in tools.tools}
                calls = [client.call_tool("local_add", {"a": at, "b": 1}) for at in range(20)]
                results = await asyncio.gather(*calls)
            said = [int(one.content[0].text) for one in results]  # type: ignore[union-attr]
            assert said == list(range(1, 21))

    lived(main)


def test_lines_that_are_wrong_and_a_kernel_that_is_not_there_are_answered() -> None:
    async def main() -> None:
        async with tool_house() as home:
            for url, code in ((home.url, -32700), ("http://127.0.0.1:9", -32000)):
                program = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "aios", "mcp", "--url", url,
                    stdin=-1, stdout=-1, env=environment(home),
                )  # fmt: skip
                wrong = b"{\n" if code == -32700 else b'{"jsonrpc":"2.0","id":7,"method":"ping"}\n'
                told, _ = await program.communicate(wrong)
                answer = json.loads(told)
                assert answer["error"]["code"] == code
                assert program.returncode == 0

    lived(main)
