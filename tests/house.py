"""A kernel in virtual time whose model says what a test makes it say, for tests of userland."""

import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TypeVar

from aios.kernel import Kernel
from aios.kernel.dispatch import Kind, RoomHandler
from aios.kernel.environment import Environment
from aios.kernel.guard.parts import Fence
from aios.kernel.hosting import Program
from aios.kernel.invariants import violations
from aios.kernel.rooms.memory_calls import memory_handlers
from aios.kernel.rooms.models import CallerModels
from aios.kernel.tools.servers import ToolServers
from aios.memory.assembler import Assembler
from aios.memory.blocks import BlockRoom
from aios.memory.cache import Cache
from aios.memory.eviction import Adaptive
from aios.memory.histories import HistoryRoom
from aios.memory.notes import NoteRoom
from aios.scheduler import make
from aios.sdk import Tool
from aios.syscalls import Generate, Message
from aios.testing.cores import ScriptedCore
from aios.testing.journal import InlineJournal
from aios.testing.loop import VirtualClock, run
from aios.testing.script import Script
from aios.testing.store import ScriptedStore
from aios.tools.functions import Functions
from tests.memory.fakes import WordIndex

R = TypeVar("R")
Speech = Callable[[Generate], str | Message]
TWO_LANES = Script(lanes=2)


def on_a_kernel(
    main: Callable[[Kernel], Awaitable[R]],
    speech: Speech,
    *,
    script: Script = TWO_LANES,
    policy: str = "rr",
    programs: Mapping[str, Program] | None = None,
    journal: InlineJournal | None = None,
    seed: int = 1,
    fence: Fence | None = None,
    tools: Iterable[Tool] = (),
) -> R:
    """What `main` returns; the kernel's invariants hold when it does.

    With a journal agents have memory, and find there what they kept in an earlier call
    of this, which had another seed.
    """

    async def body(_: random.Random) -> R:
        core = ScriptedCore(
            script,
            clock=VirtualClock(),
            rng=random.Random(1),
            store=ScriptedStore(),
            answer=speech,
        )
        environment = Environment(clock=VirtualClock(), random=random.Random(seed), journal=journal)
        models = CallerModels()
        kernel = Kernel(
            [core],
            lambda: make(policy),
            programs=programs,
            rooms=_memory(journal, models) if journal is not None else {},
            environment=environment,
            fence=fence,
            tools=ToolServers([Functions(tools)]),
        )
        models.speak(kernel.call_for)
        async with kernel:
            result = await main(kernel)
            assert violations(kernel) == []
            return result

    return run(body)


def _memory(journal: InlineJournal, models: CallerModels) -> dict[Kind, RoomHandler]:
    notes = NoteRoom(journal, WordIndex(), VirtualClock(), random.Random(1))
    return memory_handlers(
        BlockRoom(journal, Cache(Adaptive(), ram_bytes=1 << 20)),
        HistoryRoom(journal, Assembler(models, notes)),
        notes,
    )
