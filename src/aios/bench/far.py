"""A server in a process of its own, as `aios serve` starts one, for clients in another.

Its core has no model: it takes a known time for an answer, or none. `python -m aios.bench.far`.
"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from aios.bench.patient import PatientCore
from aios.bench.rig import scripted_core, scripted_kernel
from aios.server.app import application
from aios.server.listener import bound, fast_loop, listening
from aios.server.settings import Settings
from aios.server.tuning import sparing, tuned

STOP_S = 30.0


class Serve(msgspec.Struct, frozen=True, kw_only=True):
    """What to serve: a core of so many lanes, how long it takes, and agents with tokens."""

    answer_s: float = 0.0
    lanes: int = 0  # 0: the scripted core, which takes no time
    agents: int = 1
    llm_calls_max: int = Settings().llm_calls_max


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a server listens, the first process's token, and the server's process."""

    port: int
    token: str
    pid: int = 0


def token(agent: int) -> str:
    """By which an agent speaks."""
    return f"a-token-that-only-this-run-knows-{agent}"


@asynccontextmanager
async def serving(what: Serve) -> AsyncIterator[Place]:
    """A server while the block runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "aios.bench.far", msgspec.json.encode(what).decode(),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        place = msgspec.json.decode(await process.stdout.readline(), type=Place)
        yield msgspec.structs.replace(place, pid=process.pid)
    finally:
        process.stdin.close()  # which it takes as its end
        async with asyncio.timeout(STOP_S):
            await process.wait()


async def _serve(what: Serve) -> None:
    agents = {token(agent): f"agent-{agent}" for agent in range(what.agents)}
    settings = Settings(agents=agents, llm_calls_max=what.llm_calls_max)
    core = PatientCore(what.answer_s, what.lanes) if what.lanes else scripted_core(0)
    async with scripted_kernel(0, core=core) as kernel:
        app = await application(kernel, settings)
        place = bound("127.0.0.1", 0)
        told = msgspec.json.encode(Place(port=place.getsockname()[1], token=kernel.token))
        async with listening(app, place, settings):
            tuned()
            sys.stdout.buffer.write(told + b"\n")
            sys.stdout.buffer.flush()
            spare = asyncio.ensure_future(sparing(lambda: kernel.is_at_work))
            await asyncio.to_thread(sys.stdin.buffer.read)
            spare.cancel()
            app.close()


def _main() -> None:
    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        runner.run(_serve(msgspec.json.decode(sys.argv[1], type=Serve)))


if __name__ == "__main__":
    _main()
