"""`aios mcp` as an assistant starts it: the official client over the program's stdin and stdout."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from aios.server.record import Record, kept
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


@pytest.mark.parametrize("tokens", [{}, {"AIOS_TOKEN": ""}, {"AIOS_TOKEN_FILE": ""}])
def test_without_a_token_it_speaks_as_an_agent_and_not_as_the_operator(
    tmp_path: Path, tokens: dict[str, str]
) -> None:
    async def main() -> None:
        async with tool_house() as home:
            config, runtime = tmp_path / "config" / "aios", tmp_path / "run"
            config.mkdir(parents=True)
            (config / "tokens").write_text(f"agent {home.token}\n")
            (config / "tokens").chmod(0o600)
            place = {"XDG_CONFIG_HOME": str(config.parent), "XDG_RUNTIME_DIR": str(runtime)}
            given = {
                name: value for name, value in environment(home).items() if name[:5] != "AIOS_"
            }
            record = Record(url=home.url, token=home.kernel.token, pid=os.getpid())
            with kept(record, runtime / "aios" / "server.json"):
                program = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "aios", "mcp",
                    stdin=-1, stdout=-1, env=given | place | tokens,
                )  # fmt: skip
                called = {"name": "local_add", "arguments": {"a": 1, "b": 1}}
                lines = (
                    {"id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}},
                    {"id": 2, "method": "tools/call", "params": called},
                )
                said = [json.dumps({"jsonrpc": "2.0"} | line) for line in lines]
                told, _ = await program.communicate("\n".join(said).encode() + b"\n")
            assert json.loads(told.splitlines()[1])["result"]["content"][0]["text"] == "2"
            calls = {one.name: one.calls for one in home.kernel.table.all(ended=False)}
            assert calls["agent"] == 2  # It looked for the tool, and called it.

    lived(main)
