"""`aios mcp`: a running kernel's /mcp for clients that only start programs. Knows no method of it.

A line of JSON-RPC on stdin is a POST; what comes back is a line on stdout. Of the message only what
HTTP's headers repeat is looked at.
"""

import asyncio
import os
import sys
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from aios.cli import places
from aios.cli.remote import CONNECT_S, DATA, Url, place_of

if TYPE_CHECKING:
    import aiohttp

VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
SESSION = "mcp-session-id"
OPEN_MAX = 256  # calls at the same time; more lines wait to be read
LINE_MAX = 16 << 20


def mcp(url: Url = "") -> None:
    """Speak MCP on stdin and stdout, for assistants that start their servers as programs."""
    place, token = place_of(url)
    if not any(map(os.environ.get, ("AIOS_TOKEN", "AIOS_TOKEN_FILE"))):  # An empty one is none.
        from aios.server import tokens

        # An agent's: what drives an assistant must not be able to do all that the operator can.
        token = next(iter(tokens.read(places.config() / "tokens")), "")
    asyncio.run(_Bridge(f"{place.rstrip('/')}/mcp", token).run())


class _Bridge:
    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._headers = {  # of the session, once there is one
            "authorization": f"Bearer {token}",
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
        }
        self._room = asyncio.Semaphore(OPEN_MAX)

    async def run(self) -> None:
        """Until stdin ends and all that was asked is answered."""
        import aiohttp

        lines = asyncio.StreamReader(limit=LINE_MAX)
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin.buffer)
        patience = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S)
        async with aiohttp.ClientSession(timeout=patience) as session:
            open_: set[asyncio.Task[None]] = set()
            while line := await lines.readline():
                await self._room.acquire()
                task = asyncio.create_task(self._pass(session, line))
                open_.add(task)
                task.add_done_callback(open_.discard)
                if b'"initialize"' in line:
                    await task  # What follows needs its session.
            await asyncio.gather(*open_)

    async def _pass(self, session: "aiohttp.ClientSession", line: bytes) -> None:
        import aiohttp
        import msgspec

        try:
            said = msgspec.json.decode(line)
            said = said if isinstance(said, dict) else {}
        except msgspec.DecodeError:
            said = {}  # The kernel says what is wrong with it.
        try:
            headers = self._headers | _repeated(said)
            async with session.post(self._url, data=line, headers=headers) as answer:
                self._remember(answer)
                _write(_messages(await answer.read(), answer.content_type))
        except aiohttp.ClientError as problem:
            error = {"code": -32000, "message": f"no kernel answers at {self._url}: {problem}"}
            if "id" in said:
                failed = {"jsonrpc": "2.0", "id": said["id"], "error": error}
                _write(msgspec.json.encode(failed) + b"\n")
        finally:
            self._room.release()

    def _remember(self, answer: "aiohttp.ClientResponse") -> None:
        if SESSION in answer.headers:
            self._headers[SESSION] = answer.headers[SESSION]


def _repeated(said: dict[str, Any]) -> dict[str, str]:
    """What the present protocol has in headers too."""
    given = said.get("params")
    params = given if isinstance(given, dict) else {}
    meta = params.get("_meta")
    if not isinstance(meta, dict) or VERSION_KEY not in meta:
        return {}
    told = {"mcp-protocol-version": meta[VERSION_KEY], "mcp-method": said.get("method")}
    told |= {"mcp-name": params.get("name")}
    return {name: _safe(value) for name, value in told.items() if isinstance(value, str)}


def _safe(value: str) -> str:
    """As a header can carry it."""
    if value.isascii() and value.isprintable() and value == value.strip():
        return value
    return f"=?base64?{b64encode(value.encode(errors='replace')).decode()}?="


def _messages(body: bytes, kind: str) -> bytes:
    """The JSON of a reply, or of each event of a stream, a line each."""
    if kind != "text/event-stream":
        return body + b"\n" if body else b""
    told = (line for line in body.splitlines() if line.startswith(DATA))
    return b"".join(line.removeprefix(DATA) + b"\n" for line in told)


def _write(lines: bytes) -> None:
    sys.stdout.buffer.write(lines)
    sys.stdout.buffer.flush()
