"""Attention over the block pool, registered with transformers under its own name.

Knows a plan and a pool. transformers hands rows of all sequences as one: query, key and value are
[1, heads, rows, head_dim], after the rotary embedding.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn import functional
from transformers import AttentionInterface

from aios.cores.torch.plan import Chunk, Group, Plan, Rules
from aios.cores.torch.pool import Pool

NAME = "aios_pool"


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

    _blocks: torch.Tensor = field(default_factory=lambda: torch.empty(0))

    def room(self, blocks: int, like: torch.Tensor) -> torch.Tensor:
        """An uninitialised tensor for that many blocks."""
        if len(self._blocks) < blocks:
            size = (blocks + blocks // 4, like.shape[1])
            self._blocks = torch.empty(size, dtype=like.dtype, device=like.device)
        return self._blocks[:blocks]


def register() -> None:
    """Make the name known. No mask function is registered, so transformers builds no mask."""
    AttentionInterface.register(NAME, _attend)


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **given: Any,  # noqa: ANN401
) -> tuple[torch.Tensor, None]:
    # What this function would silently leave out must never arrive.
    assert attention_mask is None
    assert all(given.get(name) is None for name in ("sliding_window", "softcap", "s_aux"))
    now: Attending = given["attending"]
    layer = int(module.layer_idx)  # type: ignore[arg-type]
    now.pool.by_slot[layer].index_copy_(
        0, now.plan.slots, torch.stack((key[0], value[0])).permute(2, 0, 1, 3)
    )
    blocks, scale = now.pool.by_block[layer], given["scaling"]
    rows = query[0].transpose(0, 1)
    out = query.new_empty(rows.shape)
    for group in now.plan.groups:
        out[group.begin : group.end] = _decode(rows, group, blocks, now, scale)
    for chunk in now.plan.chunks:
        out[chunk.begin : chunk.end] = _prefill(rows, chunk, blocks, now, scale)
    out[now.plan.used :] = 0  # Padding must stay finite: its KV lands in block 0.
    return out[None], None


def _decode(
    rows: torch.Tensor, group: Group, blocks: torch.Tensor, now: Attending, scale: float
) -> torch.Tensor:
    """Query heads that share a KV head are the rows of one small product."""
    shape, count = now.pool.shape, group.end - group.begin
    keys, values = _gather(blocks, group.blocks, now)
    keys = keys.view(count, -1, shape.kv_heads, shape.head_dim).transpose(1, 2)
    values = values.view(count, -1, shape.kv_heads, shape.head_dim).transpose(1, 2)
    query = rows[group.begin : group.end].reshape(count, shape.kv_heads, -1, shape.head_dim)
    heads = query.shape[2]
    query = _padded(query, -heads % now.rules.heads)
    out = functional.scaled_dot_product_attention(
        query, keys, values, attn_mask=group.bias, scale=scale
    )
    return out[:, :, :heads].reshape(count, -1, shape.head_dim)


def _prefill(
    rows: torch.Tensor, chunk: Chunk, blocks: torch.Tensor, now: Attending, scale: float
) -> torch.Tensor:
    shape, count = now.pool.shape, chunk.end - chunk.begin
    keys, values = _gather(blocks, chunk.blocks, now)
    query = rows[chunk.begin : chunk.end].transpose(0, 1)
    query = query.reshape(shape.kv_heads, -1, count, shape.head_dim)
    spread = (shape.kv_heads, query.shape[1], -1, shape.head_dim)
    out = functional.scaled_dot_product_attention(
        query,
        keys.transpose(0, 1)[:, None].expand(spread),
        values.transpose(0, 1)[:, None].expand(spread),
        attn_mask=chunk.bias,
        scale=scale,
    )
    return out.permute(2, 0, 1, 3).reshape(count, -1, shape.head_dim)


def _gather(
    blocks: torch.Tensor, table: torch.Tensor, now: Attending
) -> tuple[torch.Tensor, torch.Tensor]:
    """Keys and values [positions, KV heads, head_dim] of a table of blocks."""
    shape = now.pool.shape
    found = torch.index_select(blocks, 0, table, out=now.scratch.room(len(table), blocks))
    pairs = found.view(-1, 2, shape.kv_heads, shape.head_dim)
    return pairs[:, 0], pairs[:, 1]


def _padded(query: torch.Tensor, missing: int) -> torch.Tensor:
    if not missing:
        return query
    filler = query[:, :, :1].expand(-1, -1, missing, -1)
    return torch.cat((query, filler), dim=2)
