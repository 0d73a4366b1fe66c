"""Starting a kernel over a local model: the engine process, its folders, and a policy by name."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from aios import scheduler
from aios.config import Limits
from aios.context.tiers import TierStore
from aios.cores.frames import EngineSpec
from aios.cores.process import ProcessCore
from aios.cores.torch.settings import Settings
from aios.errors import InvalidArgument
from aios.kernel.environment import Environment
from aios.kernel.home import Folders, home
from aios.kernel.hosting import Program
from aios.kernel.kernel import Kernel
from aios.models import pocket

ENGINE = "aios.cores.torch.engine:Engine"
KV_BYTES = 256 << 20


@asynccontextmanager
async def boot(
    model: str | Settings = "pocket",
    *,
    policy: str = "rr",
    programs: Mapping[str, Program] | None = None,
    environment: Environment | None = None,
    state: Path | None = None,
) -> AsyncIterator[Kernel]:
    """A running kernel over one local model; `async with boot() as kernel`.

    `model` is "pocket", a folder, a hub id, or an engine's full `Settings`. With `state`, a folder,
    suspended generations outlive a shutdown; without it all is temporary.
    """
    if policy not in scheduler.POLICIES:
        raise InvalidArgument(f"no policy {policy!r}; expected one of {list(scheduler.POLICIES)}")
    given = environment or Environment()
    with home(state) as folders:
        core = await ProcessCore.launch(_spec(_settings(model), folders, set(), given.limits))
        kernel = Kernel(
            [core],
            lambda: scheduler.make(policy),
            programs=programs,
            environment=given,
        )
        async with kernel:
            yield kernel


def _settings(model: str | Settings) -> Settings:
    if isinstance(model, Settings):
        return model
    if model == "pocket":
        return Settings(model=str(pocket.PATH), name="pocket", kv_bytes=KV_BYTES)
    return Settings(model=model, kv_bytes=KV_BYTES)


def _spec(settings: Settings, folders: Folders, keep: set[str], limits: Limits) -> EngineSpec:
    store = TierStore(
        ram=folders.ram,
        disk=folders.disk,
        ram_bytes=limits.ram_bytes,
        disk_bytes=limits.disk_bytes,
        owner="kernel",
    )
    store.sweep(set(map(Path, keep)))
    return EngineSpec(
        factory=ENGINE,
        settings=msgspec.to_builtins(settings),
        ram=str(folders.ram),
        disk=str(folders.disk),
        ram_bytes=limits.ram_bytes,
        disk_bytes=limits.disk_bytes,
        owner="engine",
    )
