"""The ways to run one office on one model and one budget of KV: direct, under the kernel, and an
engine alone. Each returns what there is to judge; none knows how it is judged or shown.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace

import msgspec

from aios.bench.crew import Door, Log, work
from aios.bench.direct import Direct
from aios.bench.engine import EngineAlone
from aios.bench.lanes import LaneWatch
from aios.bench.plain import PlainModel
from aios.bench.records import Run, Span
from aios.bench.site import Site
from aios.clock import Clock
from aios.cores.base import Core
from aios.cores.frames import EngineSpec
from aios.cores.process import ProcessCore
from aios.cores.torch.settings import Settings
from aios.kernel import Kernel
from aios.kernel.home import Folders
from aios.scheduler import Policy
from aios.sdk import Client, Transport

RAM_BYTES = 1 << 30
DISK_BYTES = 1 << 30
ENGINE = "aios.cores.torch.engine:Engine"


class Watch:
    """A run while it goes on, for whoever shows progress."""

    def __init__(self) -> None:
        self.log = Log()
        self.started: float | None = None
        self.ended: float | None = None
        self.switches: Callable[[], int] = lambda: 0
        self.oom: Callable[[], int] = lambda: 0


async def launch(site: Site, folders: Folders, name: str, *, exact: bool) -> ProcessCore:
    """An engine for the site, in a process of its own; `name` differs from other living ones."""
    settings = Settings(
        model=str(site.model),
        kv_bytes=site.kv_bytes,
        name="pocket",
        exact=exact,
        lanes=site.lanes,
        device=site.device,
    )
    spec = EngineSpec(
        factory=ENGINE,
        settings=msgspec.to_builtins(settings),
        ram=str(folders.ram),
        disk=str(folders.disk),
        ram_bytes=RAM_BYTES,
        disk_bytes=DISK_BYTES,
        owner=name,
    )
    return await ProcessCore.launch(spec)


async def run_direct(site: Site, model: PlainModel, clock: Clock, watch: Watch) -> Run:
    """Agents that call the model themselves."""
    direct = Direct(model, site.kv_bytes, site.habit, clock, threads=site.streams)
    watch.oom = lambda: len(direct.out_of_memory)
    try:
        ended = await _run(site, direct, clock, watch)
    finally:
        await direct.close()
    run = _judged(site, watch, ended, policy="direct", spans=direct.spans)
    return replace(run, alarms=tuple(direct.out_of_memory))


async def run_kernel(
    site: Site, core: Core, policy: Callable[[], Policy], clock: Clock, watch: Watch
) -> Run:
    """The same agents as processes of a kernel. Closes the core."""
    async with Kernel([core], policy) as kernel:
        lanes = LaneWatch(kernel.bus)
        watch.switches = lambda: lanes.switches
        ended = await _run(site, _KernelDoor(kernel), clock, watch)
        lanes.finish(ended)
    return _judged(site, watch, ended, policy=policy().name, spans=lanes.spans)


async def run_engine(site: Site, core: Core, clock: Clock, watch: Watch) -> Run:
    """The same agents on an engine that has no kernel above it. Closes the core."""
    alone = EngineAlone(core, clock)
    try:
        ended = await _run(site, alone, clock, watch)
    finally:
        await alone.close()
    return _judged(site, watch, ended, policy="engine", spans=())


class _KernelDoor:
    """Each agent becomes a process."""

    def __init__(self, kernel: Kernel) -> None:
        self.transport: Transport = kernel
        self._init = Client(kernel, kernel.token)

    async def token(self, name: str) -> str:
        return (await self._init.spawn(name)).token


async def _run(site: Site, door: Door, clock: Clock, watch: Watch) -> float:
    """Let the office work, at the longest for the site's seconds; when it ended."""
    watch.started = clock.now()
    with suppress(TimeoutError):
        async with asyncio.timeout(site.seconds):
            await work(site.office, door, watch.log, clock)
    watch.ended = clock.now()
    return watch.ended


def _judged(site: Site, watch: Watch, ended: float, *, policy: str, spans: Iterable[Span]) -> Run:
    assert watch.started is not None
    return Run(
        policy=policy,
        started=watch.started,
        ended=ended,
        calls=watch.log.all_calls,
        errands=tuple(watch.log.errands),
        tasks=site.tasks,
        spans=tuple(spans),
        short=frozenset(member.name for member in site.office if member.is_short),
    )
