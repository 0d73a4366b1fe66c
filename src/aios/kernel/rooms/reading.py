"""A core's own embeddings for the threads that index and search. Computes nothing.

Those threads block, and the core is asked on the event loop: here one waits for the other.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import CancelledError

from aios.cores.base import Core, no_embeddings
from aios.errors import ShuttingDown
from aios.retrieval.base import Embedder
from aios.retrieval.core import CoreEmbedder, HiddenMeans

LOOK_S = 1.0  # between looks whether the event loop still runs
MARK_CHARS = 12  # of a fingerprint: tells models of one name apart


def read_by(core: Core, embedder: Embedder) -> None:
    """Let an embedder that has no model of its own read by this core's; called on its loop.

    Raises `InvalidArgument` where the core embeds nothing.
    """
    if not isinstance(embedder, CoreEmbedder):
        return
    traits = core.traits
    if not traits.embedding_width:
        raise no_embeddings(traits.model)
    model = f"{traits.model}/{traits.fingerprint[:MARK_CHARS]}"
    means = _hidden_means(core, asyncio.get_running_loop())
    embedder.read_by(model, traits.embedding_width, means)


def _hidden_means(core: Core, loop: asyncio.AbstractEventLoop) -> HiddenMeans:
    async def ask(texts: Sequence[str]) -> list[tuple[float, ...]]:
        return [await core.embed(text) for text in texts]

    def means(texts: Sequence[str]) -> list[tuple[float, ...]]:
        if loop.is_closed():
            raise ShuttingDown("the kernel has stopped; it embeds nothing any more")
        asked = asyncio.run_coroutine_threadsafe(ask(texts), loop)
        while loop.is_running():  # The core answers within its own limit, and a closed one at once.
            try:
                return asked.result(LOOK_S)
            except TimeoutError:
                continue
            except CancelledError:
                break
        raise ShuttingDown("the kernel is stopping; it embeds nothing any more")

    return means
