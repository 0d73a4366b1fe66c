"""What a machine offers a kernel's agents to work with: a sandbox that holds, and a way out."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aios.errors import Denied
from aios.kernel.environment import Environment
from aios.sandbox.base import Host
from aios.sandbox.egress import Proxy
from aios.sandbox.launched import Settings
from aios.sandbox.reach import Reach
from aios.sandbox.room import open_sandbox

# Conversations and services keep their places, beside the jobs that come and go.
SETTINGS = Settings(live=48)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """`sandbox` is None where none holds, and `why` tells the reason."""

    sandbox: Host | None = None
    why: str = ""


@asynccontextmanager
async def open_hands(
    environment: Environment | None = None, *, tier: str = ""
) -> AsyncIterator[Hands]:
    """The strongest sandbox that holds here, or of the `tier` that is named, and of no other.

    Open it before the kernel grows.
    """
    given = environment or Environment()
    proxy = Proxy(Reach(), given.token, lambda decision: None)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(proxy.close)
        try:
            opened = open_sandbox(tier, SETTINGS, proxy)
            sandbox = await stack.enter_async_context(opened)
        except Denied as problem:
            if tier:
                raise
            yield Hands(why=problem.message)
            return
        yield Hands(sandbox=sandbox)
