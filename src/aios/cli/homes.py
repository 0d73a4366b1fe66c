"""A kernel of a command's own on a home, searched by the embedder that the home goes by."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from aios.kernel import Kernel, boot
from aios.kernel.hosting import Program
from aios.retrieval.choose import chosen, lasting, name_for, remember


@asynccontextmanager
async def booted(
    model: str,
    home: Path | None,
    embedder: str = "",
    programs: Mapping[str, Program] | None = None,
) -> AsyncIterator[Kernel]:
    """From now on the home goes by `embedder`, if one is named."""
    name = name_for(home, embedder)
    found_by = chosen(name)
    async with boot(model, programs=programs, state=home, embedder=found_by) as kernel:
        remember(home, lasting(name, found_by))
        yield kernel
