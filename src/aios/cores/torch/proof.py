"""Proves at load that a model computes over the block pool what transformers computes by itself.

First the model is traced: each layer is asked how it calls its attention. Then random sequences go
through the pool, in chunks and steps beside each other, and their logits are held against those of
the model's own attention. Knows no family by name. What it gives up: lengths that it does not try;
whatever begins only beyond them must show in the trace.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import torch
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

from aios.cores.torch import attention
from aios.cores.torch.forward import Forward, Network
from aios.cores.torch.plan import BUCKET_BLOCKS, Rows, Rules, Span
from aios.cores.torch.pool import KvShape, Pool
from aios.cores.torch.prefix import PrefixCache
from aios.cores.torch.settings import BLOCK_TOKENS
from aios.errors import CoreFailed, InvalidArgument

Found = TypeVar("Found")
TRACER = "aios_tracer"
UNSERVED = {  # What reaches an attention function and would silently be left out by ours.
    "softcap": "a soft cap on scores",
    "s_aux": "attention sinks",
    "position_bias": "a bias by position",
}
TOKENS = 45  # of the longer sequence: three blocks and no multiple of anything
STEPS = 4
TOKENS_MIN = 16  # a context that lets the shorter sequence have a prompt and steps
SEED = 5
# How far a row of logits may be off, relative to its spread, and the share of rows that must
# agree. In bfloat16 a router between two equally good experts may well take the other one.
TOLERANCES = {torch.float32: (1e-3, 1.0), torch.bfloat16: (0.1, 0.5)}


@dataclass(slots=True, kw_only=True)
class Traced:
    """How a model calls its attention, and the logits it makes."""

    layers: list[int] = field(default_factory=list)
    heads: set[tuple[int, int, int, int]] = field(default_factory=set)
    windows: set[int] = field(default_factory=set)
    unserved: set[str] = field(default_factory=set)
    vocab_size: int = 0

    def shape(self, dtype: torch.dtype) -> KvShape:
        """The KV of one token."""
        ((kv_heads, head_dim, *_),) = self.heads
        return KvShape(layers=len(self.layers), kv_heads=kv_heads, head_dim=head_dim, dtype=dtype)

    def attend(
        self,
        module: torch.nn.Module,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attention_mask: torch.Tensor | None,
        **given: Any,
    ) -> tuple[torch.Tensor, None]:
        """Stands in for the attention of every layer."""
        self.layers.append(int(module.layer_idx))  # type: ignore[arg-type]
        self.heads.add((key.shape[1], key.shape[3], value.shape[3], query.shape[3]))
        self._see_window(given.get("sliding_window"))
        self.unserved |= {said for name, said in UNSERVED.items() if given.get(name) is not None}
        if attention_mask is not None and attention_mask.numel() == 1:
            self._see_window(attention_mask.item())
        elif attention_mask is not None:
            self.unserved.add("a mask of its own")
        _, heads, rows, _ = query.shape
        return query.new_zeros(1, rows, heads, value.shape[3]), None

    def mask(
        self, *_: Any, local_size: int | None = None, device: Any = None, **__: Any
    ) -> torch.Tensor | None:
        """Stands in for what would build a mask: its window, for the layers that are given it."""
        return None if local_size is None else torch.full((1, 1, 1, 1), local_size, device=device)

    def _see_window(self, window: float | None) -> None:
        if window is not None:
            self.windows.add(int(window))


def trace(model: Any) -> Traced:
    """A short forward pass that computes no attention. Raises `InvalidArgument`."""
    traced = Traced()
    AttentionInterface.register(TRACER, traced.attend)
    AttentionMaskInterface.register(TRACER, traced.mask)
    rows = torch.arange(3, device=model.device)[None]
    model.set_attn_implementation(TRACER)
    try:
        logits = _tried(
            model,
            lambda: model(
                input_ids=rows, position_ids=rows, use_cache=False, logits_to_keep=rows[0, 1:2],
            ).logits,
        )  # fmt: skip
    finally:
        model.set_attn_implementation(attention.NAME)
    traced.vocab_size = logits.shape[-1]
    _refuse(model, traced, rows=logits.shape[1])
    return traced


def _refuse(model: Any, traced: Traced, rows: int) -> None:
    found = sorted(traced.unserved)
    if not traced.layers or sorted(traced.layers) != list(range(len(traced.layers))):
        found.append("layers without attention, or with more than one")
    elif len(traced.heads) != 1 or len(set(next(iter(traced.heads))[1:])) != 1:
        found.append("heads of different sizes")
    if rows != 1:
        found.append("logits of all rows, whichever are asked for")
    if found:
        raise _cannot(model, f"it has {', '.join(found)}")


class Proof:
    """Sequences whose logits transformers has computed by itself, for others to be held against."""

    @torch.inference_mode()
    def __init__(self, model: Any, traced: Traced, context_tokens: int) -> None:
        if context_tokens < TOKENS_MIN:
            raise _cannot(model, f"it sees {context_tokens} tokens at most")
        chooser = torch.Generator().manual_seed(SEED)
        size = min(TOKENS, context_tokens)
        drawn = torch.randint(traced.vocab_size, (2, size), generator=chooser).tolist()
        self._sequences = [drawn[0], drawn[1][: size // 3]]
        self._traced, self._model = traced, model
        self._dtype, self._device = model.dtype, model.device
        self._truth = _tried(model, lambda: [_plain(model, one) for one in self._sequences])

    def check(self, network: Network, rules: Rules) -> None:
        """Raises `InvalidArgument` where the network computes something else over the pool."""
        pool = _pool(self._traced.shape(self._dtype), self._device)
        forward = Forward(network, pool, rules)
        ours = _tried(self._model, lambda: _pooled(forward, self._sequences))
        theirs = torch.stack([self._truth[which][at] for which, at in ours])
        share, worst = _agreement(torch.stack(list(ours.values())), theirs, self._dtype)
        if share < TOLERANCES[self._dtype][1]:
            windows = sorted(self._traced.windows)
            seen = f" with windows of {windows}" if windows else ""
            raise _cannot(
                self._model,
                f"logits differ from transformers' own by up to {worst:.2g} of their spread{seen}",
            )


def _pooled(forward: Forward, sequences: list[list[int]]) -> dict[tuple[int, int], torch.Tensor]:
    """Logits by sequence and position, of rows that came in chunks and in steps."""
    rows = [forward.pool.open() for _ in sequences]
    for row, sequence in zip(rows, sequences, strict=True):
        forward.pool.grow(row, len(sequence))
    ends = [len(sequence) - STEPS for sequence in sequences]
    half = ends[0] // 2
    found: dict[tuple[int, int], torch.Tensor] = {}

    def run(steps: list[tuple[int, int]], spans: list[tuple[int, int, int]]) -> None:
        work = Rows(
            rows=np.array([rows[which] for which, _ in steps], dtype=np.int64),
            tokens=np.array([sequences[which][at] for which, at in steps], dtype=np.int64),
            positions=np.array([at for _, at in steps], dtype=np.int64),
            wanted=np.ones(len(steps), dtype=np.bool_),
            spans=[
                Span(row=rows[which], start=begin, tokens=sequences[which][begin:end], wanted=True)
                for which, begin, end in spans
            ],
        )
        places = [*steps, *((which, end - 1) for which, _, end in spans)]
        found.update(zip(places, forward.run(work), strict=True))

    run([], [(0, 0, half), (1, 0, ends[1])])
    run([(1, ends[1])], [(0, half, ends[0])])
    for step in range(1, STEPS):
        run([(0, ends[0] + step - 1), (1, ends[1] + step)], [])
    return found


def _plain(model: Any, sequence: list[int]) -> torch.Tensor:
    """Logits of every position as the model's own code computes them."""
    ids = torch.tensor([sequence], device=model.device)
    model.set_attn_implementation("eager")
    try:
        logits: torch.Tensor = model(input_ids=ids, use_cache=False).logits[0].float()
    finally:
        model.set_attn_implementation(attention.NAME)
    return logits


def _agreement(ours: torch.Tensor, theirs: torch.Tensor, dtype: torch.dtype) -> tuple[float, float]:
    """The share of rows that agree, and how far the worst is off, relative to its spread."""
    spread = theirs.amax(dim=1) - theirs.amin(dim=1)
    off = (ours - theirs).abs().amax(dim=1) / spread.clamp(min=torch.finfo(torch.float32).tiny)
    best = theirs.topk(2, dim=1).values
    is_clear = (best[:, 0] - best[:, 1]) / spread > TOLERANCES[dtype][0]
    is_other = is_clear & (ours.argmax(dim=1) != theirs.argmax(dim=1))
    # A comparison, so that a NaN agrees with nothing.
    agrees = (off <= TOLERANCES[dtype][0]) & ~is_other
    return float(agrees.float().mean()), float(off.max())


def _pool(shape: KvShape, device: torch.device) -> Pool:
    row = BUCKET_BLOCKS * -(-TOKENS // (BUCKET_BLOCKS * BLOCK_TOKENS))
    cache = PrefixCache(row * BLOCK_TOKENS, row)
    return Pool(shape, cache, blocks=2 * row, row_blocks=row, device=str(device))


def _tried(model: Any, run: Callable[[], Found]) -> Found:
    """Foreign code meets what it was not written for, and may fail in any way."""
    try:
        with torch.inference_mode():
            return run()
    except CoreFailed:
        raise
    except torch.OutOfMemoryError as problem:
        raise CoreFailed(f"no memory for a short pass on {model.device}: {problem}") from None
    except Exception as problem:
        reason = str(problem).strip().split("\n", 1)[0][:200]
        raise _cannot(model, f"{type(problem).__name__}: {reason}") from None


def _cannot(model: Any, reason: str) -> InvalidArgument:
    kind = model.config.model_type
    return InvalidArgument(
        f"expected a model whose attention the block pool computes, {kind} is not: {reason}"
    )
