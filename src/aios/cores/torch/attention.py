"""Attention over the block pool, registered with transformers under its own name.

Knows a plan and a pool. transformers hands rows of all sequences as one: query, key and value are
[1, heads, rows, head_dim], after the rotary embedding.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn import functional
from transformers import AttentionInterface

from aios.cores.torch.plan import BUCKET_BLOCKS, Chunk, Group, Plan, Rules
from aios.cores.torch.pool import Pool
from aios.cores.torch.settings import BLOCK_TOKENS

NAME = "aios_pool"
_NOW: ContextVar["Attending"] = ContextVar("attending")  # Not every family hands arguments on.


@dataclass(slots=True, kw_only=True)
class Attending:
    """One forward pass as the attention of each layer sees it."""

    plan: Plan
    pool: Pool
    rules: Rules
    scratch: "Scratch"


@dataclass(slots=True)
class Scratch:
    """Memory for gathered KV. Kept, because fresh pages cost more than the copy into them."""

    _blocks: torch.Tensor = field(default_factory=lambda: torch.empty(2, 0))

    def room(self, blocks: int, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Two uninitialised tensors for that many blocks."""
        if self._blocks.shape[1] < blocks:
            size = (2, blocks + blocks // 4, like.shape[2])
            self._blocks = torch.empty(2, 0)  # The old memory serves the new.
            self._blocks = torch.empty(size, dtype=like.dtype, device=like.device)
        return self._blocks[0, :blocks], self._blocks[1, :blocks]


def register() -> None:
    """Make the name known. No mask function is registered, so transformers builds no mask."""
    AttentionInterface.register(NAME, _attend)


@contextmanager
def attending(now: Attending) -> Iterator[None]:
    """Meanwhile every layer attends as `now` says."""
    token = _NOW.set(now)
    try:
        yield
    finally:
        _NOW.reset(token)


def keep(layer: int, key: torch.Tensor, value: torch.Tensor, now: Attending) -> None:
    """Write a layer's fresh keys and values, [rows, kv_heads, head_dim], into the pool."""
    for plane, fresh in ((2 * layer, key), (2 * layer + 1, value)):
        now.pool.by_slot[plane].index_copy_(0, now.plan.slots, fresh)


def attend(rows: torch.Tensor, layer: int, now: Attending, scale: float | None) -> torch.Tensor:
    """What each row of queries, [rows, heads, head_dim], reads from the pool, in the same shape."""
    plane, groups = 2 * layer, now.plan.groups
    if len(groups) == 1 and groups[0].end == len(rows):
        return _decode(rows, groups[0], plane, now, scale)
    out = rows.new_empty(rows.shape)
    for group in groups:
        out[group.begin : group.end] = _decode(rows, group, plane, now, scale)
    for chunk in now.plan.chunks:
        out[chunk.begin : chunk.end] = _prefill(rows, chunk, plane, now, scale)
    out[now.plan.used :] = 0  # Padding must stay finite: its KV lands in block 0.
    return out


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **given: Any,
) -> tuple[torch.Tensor, None]:
    # What this function would silently leave out must never arrive.
    assert attention_mask is None
    assert all(given.get(name) is None for name in ("softcap", "s_aux"))
    now = _NOW.get()
    # No context is longer than the window (tables are, by less than a bucket), so it hides nothing.
    beyond = (now.pool.tables.shape[1] - BUCKET_BLOCKS) * BLOCK_TOKENS
    assert given.get("sliding_window") is None or beyond < given["sliding_window"]
    layer = int(module.layer_idx)  # type: ignore[arg-type]
    keep(layer, key[0].transpose(0, 1), value[0].transpose(0, 1), now)
    return attend(query[0].transpose(0, 1), layer, now, given.get("scaling"))[None], None


def _decode(
    rows: torch.Tensor, group: Group, plane: int, now: Attending, scale: float | None
) -> torch.Tensor:
    """Query heads that share a KV head are the rows of one small product."""
    shape, count = now.pool.shape, group.end - group.begin
    keys, values = _gather(plane, group.blocks, now)
    size = (count, -1, shape.kv_heads, shape.head_dim)
    query = rows[group.begin : group.end].reshape(count, shape.kv_heads, -1, shape.head_dim)
    heads = query.shape[2]
    out = functional.scaled_dot_product_attention(
        _padded(query, -heads % now.rules.heads),
        keys.view(size).transpose(1, 2),
        values.view(size).transpose(1, 2),
        attn_mask=group.bias,
        scale=scale,
    )
    return out[:, :, :heads].reshape(count, -1, shape.head_dim)


def _prefill(
    rows: torch.Tensor, chunk: Chunk, plane: int, now: Attending, scale: float | None
) -> torch.Tensor:
    shape, count = now.pool.shape, chunk.end - chunk.begin
    size = (-1, 1, shape.kv_heads, shape.head_dim)
    spread = (shape.kv_heads, rows.shape[1] // shape.kv_heads, -1, shape.head_dim)
    keys, values = (
        one.view(size).permute(2, 1, 0, 3).expand(spread)
        for one in _gather(plane, chunk.blocks, now)
    )
    query = rows[chunk.begin : chunk.end].transpose(0, 1)
    query = query.reshape(shape.kv_heads, -1, count, shape.head_dim)
    out = functional.scaled_dot_product_attention(
        query, keys, values, attn_mask=chunk.bias, scale=scale
    )
    return out.permute(2, 0, 1, 3).reshape(count, -1, shape.head_dim)


def _gather(plane: int, table: torch.Tensor, now: Attending) -> tuple[torch.Tensor, torch.Tensor]:
    """Keys and values of a table of blocks, which lie in two planes."""
    pool = now.pool
    keys, values = now.scratch.room(len(table), pool.by_block)
    torch.index_select(pool.by_block[plane], 0, table, out=keys)
    torch.index_select(pool.by_block[plane + 1], 0, table, out=values)
    return keys, values


def _padded(query: torch.Tensor, missing: int) -> torch.Tensor:
    if not missing:
        return query
    filler = query[:, :, :1].expand(-1, -1, missing, -1)
    return torch.cat((query, filler), dim=2)
