"""Starting a kernel over a local model: the engine process, its folders, and a policy by name."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import msgspec

from aios import scheduler
from aios.access.policy import OPEN
from aios.access.policy import Policy as AccessPolicy
from aios.config import Limits
from aios.context.tiers import TierStore
from aios.cores.frames import EngineSpec
from aios.cores.process import ProcessCore
from aios.cores.torch.settings import AUTO, Settings
from aios.errors import InvalidArgument
from aios.journal.base import Journal
from aios.journal.journal import open_journal
from aios.kernel.environment import Environment
from aios.kernel.guard.fittings import fittings, vault_of
from aios.kernel.guard.parts import Fence
from aios.kernel.home import Folders, home
from aios.kernel.hosting import Program
from aios.kernel.kept import snapshots
from aios.kernel.kernel import Kernel
from aios.kernel.model_calls import Launch
from aios.kernel.outside import Place
from aios.kernel.rooms.opening import open_rooms
from aios.kernel.rooms.reading import read_by
from aios.kernel.tools.sources import host_of, servers_of
from aios.models import pocket
from aios.programs.stage import Stage
from aios.retrieval.base import Embedder
from aios.retrieval.ngrams import NgramEmbedder
from aios.sandbox.base import Host, Sandbox
from aios.syscalls.model import AddModel
from aios.tools.base import Source
from aios.tools.builtin.source import Builtins
from aios.tools.functions import Function

ENGINE = "aios.cores.torch.engine:Engine"
ENGINE_OWNER = "engine"  # of snapshots
KV_BYTES = 256 << 20


def settings_for(model: str, device: str = "") -> Settings:
    """An engine's settings for "pocket", a folder or a hub id; `device` where one is asked for.

    A GPU is taken where there is one, but not for pocket: of a million parameters a step is all
    launches and no work, so that a GPU, which is worth sharing out, would gain nothing.
    """
    if model == "pocket":
        place = str(pocket.PATH)
        return Settings(model=place, name=model, kv_bytes=KV_BYTES, device=device or "cpu")
    return Settings(model=model, kv_bytes=KV_BYTES, device=device or AUTO)


@asynccontextmanager
async def boot(  # noqa: PLR0913 - what a kernel is made from, all of it optional
    model: str | Settings = "pocket",
    *,
    policy: str = "rr",
    programs: Mapping[str, Program] | None = None,
    environment: Environment | None = None,
    state: Path | None = None,
    embedder: Embedder | None = None,
    access: AccessPolicy = OPEN,
    tools: Iterable[Function | Source] = (),
    sandbox: Sandbox | None = None,
    builtin: bool = False,
    hosts: Sequence[str] = (),
    stage: Stage | None = None,
    url: str = "",
) -> AsyncIterator[Kernel]:
    """A running kernel over one local model; `async with boot() as kernel`.

    `model` is "pocket", a folder, a hub id, or an engine's full settings. What was
    acknowledged outlives the kernel in `state`, a folder; without it all is temporary. `embedder`
    is what notes and files are found by, without one the built-in n-grams; a `CoreEmbedder` reads
    by this kernel's model. `access` says who may do what, and what a human is asked.

    `tools` are functions as the SDK's `@tool` makes them, called `local/name` and run in this
    process, or sources of tools. `sandbox` runs those that are commands; it stays the caller's.
    `builtin` adds the server `aios`: files, notes, agents, a calculator, asking a human, with a
    sandbox Python and a shell, and web pages of those `hosts` that are named. `stage`, which stays
    the caller's too, is where programs are started that find the kernel at `url`.
    """
    if policy not in scheduler.POLICIES:
        raise InvalidArgument(f"no policy {policy!r}; expected {', '.join(scheduler.POLICIES)}")
    settings = settings_for(model) if isinstance(model, str) else model
    given = environment or Environment()
    with home(state) as folders:
        async with _journal(folders, given, is_durable=state is not None) as journal:
            place = folders.journal.parent
            found_by = embedder or NgramEmbedder()
            vault = vault_of(place)
            own = _builtins(given, host_of(sandbox), hosts) if builtin else ()
            fence = Fence(policy=access, fittings=fittings(place, vault, (sandbox, *own)))
            _swept(folders, await snapshots(journal), given.limits)
            async with _core(_spec(settings, folders, given.limits, ENGINE_OWNER)) as core:
                read_by(core, found_by)
                async with open_rooms(journal, place, given, found_by) as rooms:
                    kernel = Kernel(
                        [core],
                        lambda: scheduler.make(policy),
                        programs=programs,
                        rooms=rooms.handlers,
                        left=rooms.left,
                        memory=rooms.memory,
                        environment=dataclasses.replace(given, journal=journal),
                        fence=fence,
                        tools=servers_of(tools, sandbox, given.clock, vault.secret, own),
                        launch=_launcher(folders, given.limits),
                        outside=_outside(stage, place, url),
                    )
                    rooms.speak(kernel.call_for)
                    async with kernel:
                        yield kernel


def _builtins(given: Environment, host: Host | None, hosts: Sequence[str]) -> tuple[Source, ...]:
    return (Builtins(given.clock, given.token, host=host, hosts=hosts),)


def _outside(stage: Stage | None, home: Path, url: str) -> Place | None:
    return None if stage is None else Place(stage=stage, logs=home / "programs", url=url)


@asynccontextmanager
async def _core(spec: EngineSpec) -> AsyncIterator[ProcessCore]:
    """An engine that is ended also where the kernel, which ends its cores, could not begin."""
    core = await ProcessCore.launch(spec)
    try:
        yield core
    finally:
        await core.close()


@asynccontextmanager
async def _journal(
    folders: Folders, given: Environment, *, is_durable: bool
) -> AsyncIterator[Journal]:
    """The journal that the environment brings, or the home's own."""
    if given.journal is not None:
        yield given.journal
        return
    journal = await asyncio.to_thread(open_journal, folders.journal, is_durable=is_durable)
    try:
        yield journal
    finally:
        await journal.close()


def _launcher(folders: Folders, limits: Limits) -> Launch:
    """Starts engines for models that are added, each with snapshots of its own."""
    numbers = count(1)

    async def launch(call: AddModel, name: str) -> ProcessCore:
        settings = dataclasses.replace(settings_for(call.source, call.device), name=name)
        owner = f"{ENGINE_OWNER}-{next(numbers)}"
        return await ProcessCore.launch(_spec(settings, folders, limits, owner))

    return launch


def _swept(folders: Folders, keep: set[str], limits: Limits) -> None:
    """Nothing lies in the tiers but what generations that were kept go on from."""
    store = TierStore(
        ram=folders.ram,
        disk=folders.disk,
        ram_bytes=limits.ram_bytes,
        disk_bytes=limits.disk_bytes,
        owner="kernel",
    )
    store.sweep(set(map(Path, keep)))


def _spec(settings: Settings, folders: Folders, limits: Limits, owner: str) -> EngineSpec:
    return EngineSpec(
        factory=ENGINE,
        settings=msgspec.to_builtins(settings),
        ram=str(folders.ram),
        disk=str(folders.disk),
        ram_bytes=limits.ram_bytes,
        disk_bytes=limits.disk_bytes,
        owner=owner,
    )
