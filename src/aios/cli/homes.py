"""A kernel of a command's own on a home, searched by the embedder that the home goes by."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from aios.access.policy import OPEN, Policy
from aios.cli import settings, sources
from aios.config import Limits
from aios.kernel import Kernel, boot
from aios.kernel.environment import Environment
from aios.kernel.hosting import Program
from aios.retrieval.choose import chosen, lasting, name_for, remember


@asynccontextmanager
async def booted(
    model: str,
    home: Path | None,
    embedder: str = "",
    programs: Mapping[str, Program] | None = None,
    access: Policy = OPEN,
    *,
    asks: bool = True,
) -> AsyncIterator[Kernel]:
    """From now on the home goes by `embedder`, if one is named. `asks`: a human can be asked."""
    limits = Limits() if asks else Limits(approval_s=0.0)
    name = name_for(home, embedder)
    found_by = chosen(name, sources.found(settings.EMBEDDER_KEY).value)
    async with boot(
        model,
        programs=programs,
        environment=Environment(limits=limits),
        state=home,
        embedder=found_by,
        access=access,
    ) as kernel:
        remember(home, lasting(name, found_by))
        yield kernel
