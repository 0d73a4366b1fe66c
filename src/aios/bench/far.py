"""A server in a process of its own, and clients that cost little: what HTTP adds is measured so.

The core has no model, so that nothing but kernel and server takes time; `slow` gives its answers a
known time.
"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from aios.bench.patient import PatientCore
from aios.bench.rig import scripted_core, scripted_kernel
from aios.errors import AiosError
from aios.server.app import application
from aios.server.listener import bound, fast_loop, listening
from aios.server.settings import Settings

TOKEN = "a-token-that-only-this-run-knows"
ANSWER_S = 0.1  # what a slow core takes for each answer
LANES = 64
STOP_S = 10.0


class Place(msgspec.Struct, frozen=True):
    """Where a server listens."""

    port: int


@asynccontextmanager
async def serving(*, is_slow: bool) -> AsyncIterator[Place]:
    """A server while the block runs."""
    mode = "slow" if is_slow else "instant"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "aios.bench.far", mode,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield msgspec.json.decode(await process.stdout.readline(), type=Place)
    finally:
        process.stdin.close()  # which it takes as its end
        async with asyncio.timeout(STOP_S):
            await process.wait()


class Line:
    """One kept connection that says one request again and again."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._request = request

    @classmethod
    async def open(cls, place: Place, path: str, body: bytes) -> "Line":
        head = (
            f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {TOKEN}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        return cls(reader, writer, head.encode() + body)

    async def ask(self) -> bytes:
        """The reply's body; anything but a success ends the benchmark."""
        self._writer.write(self._request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        _, _, told = head.partition(b"content-length: ")
        body = await self._reader.readexactly(int(told.partition(b"\r\n")[0]))
        if not head.startswith(b"HTTP/1.1 200"):
            raise AiosError(f"expected a success, got {body[:200]!r}")
        return body

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


async def _serve(mode: str) -> None:
    settings = Settings(agents={TOKEN: "client"})
    core = PatientCore(ANSWER_S, LANES) if mode == "slow" else scripted_core(0)
    async with scripted_kernel(0, core=core) as kernel:
        app = await application(kernel, settings)
        place = bound("127.0.0.1", 0)
        told = msgspec.json.encode(Place(place.getsockname()[1]))
        async with listening(app, place, settings):
            sys.stdout.buffer.write(told + b"\n")
            sys.stdout.buffer.flush()
            await asyncio.to_thread(sys.stdin.buffer.read)


def _main() -> None:
    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        runner.run(_serve(sys.argv[1]))


if __name__ == "__main__":
    _main()
