"""A kernel with approvals, budgets and audit, in virtual time, over a journal that survives it."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aios.access.policy import PERSONAL, Policy
from aios.config import Limits
from aios.journal.base import Journal
from aios.kernel.environment import Environment
from aios.kernel.guard.accounts import Accounts
from aios.kernel.guard.flow_calls import Labels
from aios.kernel.guard.parts import Fence
from aios.kernel.kernel import Kernel
from aios.kernel.rooms.memory_calls import memory_handlers
from aios.kernel.tools.servers import ToolServers
from aios.memory.assembler import Assembler
from aios.memory.blocks import BlockRoom
from aios.memory.cache import Cache
from aios.memory.eviction import Adaptive
from aios.memory.histories import HistoryRoom
from aios.memory.notes import NoteRoom
from aios.scheduler import make
from aios.sdk.client import Client
from aios.testing.cores import ScriptedCore
from aios.testing.loop import VirtualClock
from aios.testing.script import Script
from aios.testing.store import ScriptedStore
from tests.memory.fakes import WordIndex, WordModels


@asynccontextmanager
async def fenced(
    journal: Journal | None,
    policy: Policy = PERSONAL,
    *,
    programs: dict[str, Any] | None = None,
    home: Path | None = None,
    boot: int = 1,
    patience_s: float = 600.0,
    tools: ToolServers | None = None,
) -> AsyncIterator[Kernel]:
    """One life of a kernel with memory, and a model that says what the seed says."""
    core = ScriptedCore(
        Script(lanes=2), clock=VirtualClock(), rng=random.Random(1), store=ScriptedStore()
    )
    rooms, labels = {}, Labels()
    if journal is not None:
        notes = NoteRoom(journal, WordIndex(), VirtualClock(), random.Random(boot))
        rooms = memory_handlers(
            BlockRoom(journal, Cache(Adaptive(), ram_bytes=1 << 20)),
            HistoryRoom(journal, Assembler(WordModels(), notes)),
            notes,
        )
    kernel = Kernel(
        [core],
        lambda: make("rr"),
        programs=programs,
        rooms=rooms,
        environment=Environment(
            clock=VirtualClock(),
            random=random.Random(boot),
            limits=Limits(drain_s=5.0, approval_s=patience_s),
            journal=journal,
        ),
        fence=Fence(policy=policy, fittings=(labels, Accounts(home=home, label_of=labels.shown))),
        tools=tools,
    )
    async with kernel:
        yield kernel


async def agent(kernel: Kernel, name: str = "travel") -> Client:
    """A client that speaks as a new process of that agent."""
    first = Client(kernel, kernel.token)
    return first.of(await first.spawn(name))


async def until(found: Any, limit_s: float = 100.0) -> None:
    """Wait in virtual time until something is so."""
    async with asyncio.timeout(limit_s):
        while not found():  # noqa: ASYNC110 - virtual time costs nothing
            await asyncio.sleep(0.01)
