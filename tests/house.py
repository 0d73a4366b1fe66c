"""A kernel in virtual time whose model says what a test makes it say, for tests of userland."""

import random
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from aios.kernel import Kernel
from aios.kernel.environment import Environment
from aios.kernel.hosting import Program
from aios.kernel.invariants import violations
from aios.scheduler import make
from aios.syscalls import Generate, Message
from aios.testing.cores import ScriptedCore
from aios.testing.loop import VirtualClock, run
from aios.testing.script import Script
from aios.testing.store import ScriptedStore

R = TypeVar("R")
Speech = Callable[[Generate], str | Message]


def on_a_kernel(
    main: Callable[[Kernel], Awaitable[R]],
    speech: Speech,
    *,
    policy: str = "rr",
    programs: Mapping[str, Program] | None = None,
) -> R:
    """What `main` returns; the kernel's invariants hold when it does."""

    async def body(_: random.Random) -> R:
        core = ScriptedCore(
            Script(lanes=2),
            clock=VirtualClock(),
            rng=random.Random(1),
            store=ScriptedStore(),
            answer=speech,
        )
        environment = Environment(clock=VirtualClock(), random=random.Random(1))
        kernel = Kernel([core], lambda: make(policy), programs=programs, environment=environment)
        async with kernel:
            result = await main(kernel)
            assert violations(kernel) == []
            return result

    return run(body)
