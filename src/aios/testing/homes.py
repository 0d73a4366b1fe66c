"""A real kernel in a real home, with every room and its threads, around a core without a model."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from aios.clock import LoopClock
from aios.cores.base import Core
from aios.journal.base import Journal
from aios.journal.disk import Disk
from aios.journal.journal import open_journal
from aios.kernel.environment import Environment
from aios.kernel.home import home
from aios.kernel.hosting import Program
from aios.kernel.kernel import Kernel
from aios.kernel.rooms.opening import open_rooms
from aios.retrieval.ngrams import NgramEmbedder
from aios.scheduler import RoundRobin
from aios.testing.cores import ScriptedCore
from aios.testing.script import INSTANT, Script
from aios.testing.store import ScriptedStore

RESERVE_BYTES = 64 << 10  # a test makes and copies many homes; a full disk is not its concern
Wrap = Callable[[Journal], Journal]


def as_it_is(journal: Journal) -> Journal:
    """Nothing stands in front of the journal."""
    return journal


@asynccontextmanager
async def kernel_in(
    folder: Path,
    *,
    programs: Mapping[str, Program] | None = None,
    core: Core | None = None,
    wrap: Wrap = as_it_is,
    disk: Disk | None = None,
) -> AsyncIterator[Kernel]:
    """What `boot` gives, but for the engine. The journal lies on `disk`, behind `wrap`."""
    given = Environment()
    with home(folder) as folders:
        opened = await asyncio.to_thread(
            open_journal, folders.journal, disk=disk, reserve_bytes=RESERVE_BYTES
        )
        try:
            journal = wrap(opened)
            async with open_rooms(journal, folder, given, NgramEmbedder()) as rooms:
                kernel = Kernel(
                    [core or scripted()],
                    RoundRobin,
                    programs=programs,
                    rooms=rooms.handlers,
                    left=rooms.left,
                    memory=rooms.memory,
                    environment=Environment(journal=journal),
                )
                rooms.speak(kernel.call_for)
                async with kernel:
                    yield kernel
        finally:
            await opened.close()


def scripted(script: Script = INSTANT, store: ScriptedStore | None = None) -> Core:
    """A core on the machine's own clock. What it says follows from prompt and seed alone."""
    return ScriptedCore(script, clock=LoopClock(), rng=Random(0), store=store or ScriptedStore())
