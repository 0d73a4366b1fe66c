"""Texts to vectors: a model's last hidden states, their mean. Knows no generation.

Each text has passes of its own, over KV of its own, so that its vector does not depend on company,
and generations lose no KV. That takes some memory beside theirs, from the first text on.
"""

from functools import cached_property

import torch

from aios.cores.torch.forward import Forward
from aios.cores.torch.language import Language
from aios.cores.torch.load import Loaded
from aios.cores.torch.plan import BUCKET_BLOCKS, Rules, Span
from aios.cores.torch.pool import Pool
from aios.cores.torch.prefix import PrefixCache
from aios.cores.torch.settings import BLOCK_TOKENS
from aios.errors import CoreFailed

TOKENS_MAX = 512  # of a text; what comes after is not read, so that nobody else waits for long


class Reading:
    """One model's reading of texts, one after the other."""

    def __init__(self, loaded: Loaded, language: Language, rules: Rules) -> None:
        self._loaded = loaded
        self._language = language
        self._rules = rules
        self._tokens_max = min(TOKENS_MAX, loaded.context_tokens)

    @property
    def width(self) -> int:
        """Numbers in a vector; 0 where the model shows no hidden states."""
        return self._loaded.network.width

    def vector(self, text: str) -> tuple[float, ...]:
        """The mean over the text's tokens; zeros where it has none. Raises `CoreFailed`."""
        tokens = self._language.opening(text, self._tokens_max)
        if not tokens:
            return (0.0,) * self.width
        pool = self._forward.pool
        row = pool.open()
        try:
            pool.grow(row, len(tokens))
            states = self._forward.states(Span(row=row, start=0, tokens=tokens, wanted=False))
        finally:
            pool.close(row)
        return tuple(states.double().mean(dim=0).tolist())

    @cached_property
    def _forward(self) -> Forward:
        blocks = -(-self._tokens_max // (BUCKET_BLOCKS * BLOCK_TOKENS)) * BUCKET_BLOCKS
        chunk = self._rules.grid or self._tokens_max
        place = self._loaded.device.place
        try:
            pool = Pool(
                self._loaded.shape,
                PrefixCache(chunk, chunk // BLOCK_TOKENS),
                blocks=blocks,
                row_blocks=blocks,
                device=place,
            )
        except torch.OutOfMemoryError as problem:
            reason = str(problem).split("\n", 1)[0][:200]
            raise CoreFailed(f"no memory on {place} to read a text: {reason}") from None
        return Forward(self._loaded.network, pool, self._rules)
