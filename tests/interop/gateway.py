"""The server over a model of rules: `python -m tests.interop.gateway [--slow] NAME...`.

It is the whole server, with a token for each name; only the core is played. Its first line tells
where it is and who may speak; then a line for each request says by which path it came and whether
its answer was streamed. It ends when its input does.
"""

import argparse
import asyncio
import dataclasses
import json
import random
import sys
from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aios.clock import LoopClock
from aios.kernel import Kernel
from aios.scheduler import make
from aios.server.app import application
from aios.server.listener import bound, listening
from aios.server.settings import Settings
from aios.testing.cores import ScriptedCore
from aios.testing.script import Script
from aios.testing.store import ScriptedStore
from tests.interop.model import speech

QUICK = Script(step_s=0.01, step_tokens=4, context_tokens=1 << 17, kv_tokens=1 << 20)
SLOW = dataclasses.replace(QUICK, step_s=0.2, step_tokens=1, lanes=2)  # as a model that works


class Witness:
    """An application that tells of the requests to another."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                _tell(
                    {"path": scope["path"], "status": message["status"], "streamed": _sse(message)}
                )
            await send(message)

        await self._inner(scope, receive, told if scope.get("method") == "POST" else send)


def _sse(message: Message) -> bool:
    return any(value.startswith(b"text/event-stream") for _, value in message["headers"])


async def serve(names: Sequence[str], script: Script) -> None:
    """Serve until the input ends."""
    core = ScriptedCore(
        script, clock=LoopClock(), rng=random.Random(1), store=ScriptedStore(), answer=speech
    )
    async with Kernel([core], lambda: make("rr")) as kernel:
        agents = {kernel.environment.token(): name for name in names}
        settings = Settings(agents=agents)
        app = await application(kernel, settings)
        place = bound("127.0.0.1", 0)
        url = f"http://127.0.0.1:{place.getsockname()[1]}"
        async with listening(Witness(app), place, settings):
            tokens = {name: token for token, name in agents.items()}
            _tell({"url": url, "token": kernel.token, "agents": tokens})
            await asyncio.to_thread(sys.stdin.read)
        app.close()


def _tell(line: dict[str, object]) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slow", action="store_true")
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    asyncio.run(serve(given.names, SLOW if given.slow else QUICK))
