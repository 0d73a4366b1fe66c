"""The forward pass of the commonest families, written out: what transformers computes, with less
between the operations, and products that read the same input made one.

A model of a million parameters spends more time in Python between its operations than a batch
spends in them; a large one gains from weights that lie as the processor likes them. Whether it is
the same model is not believed but proved at load; families that are not listed go their own way.
Knows the pool's attention and transformers' names of weights; knows no generation.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from aios.cores.torch import attention
from aios.cores.torch.attention import Attending
from aios.cores.torch.packed import Linear, linear
from aios.cores.torch.settings import BLOCK_TOKENS

# Norm, attention with rope, norm, gated MLP; with biases and norms of heads where there are any.
FAMILIES = frozenset({"llama", "mistral", "qwen2", "qwen3"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Norm:
    """Root mean square over the last dimension, in fp32 as transformers has it."""

    weight: torch.Tensor
    epsilon: float

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        wide = x.float()
        scale = torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.epsilon)
        return self.weight * (wide * scale).to(x.dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    before: _Norm
    into_heads: Linear  # query, key and value
    of_query: _Norm | None
    of_key: _Norm | None
    out_of_heads: Linear
    between: _Norm
    gate_and_up: Linear
    down: Linear
    scale: float


def can_serve(model: Any) -> bool:
    """Whether the model is of a family whose pass is written out here, on a processor it suits."""
    config = model.config
    return (
        config.model_type in FAMILIES and config.hidden_act == "silu" and model.device.type == "cpu"
    )


class Lean:
    """A model taken apart: its layers are empty afterwards, so no weight is held twice."""

    def __init__(self, model: Any, context_tokens: int) -> None:
        body = model.model
        self._embeddings = body.embed_tokens.weight.detach()
        self._layers = []
        for place, layer in enumerate(body.layers):
            self._layers.append(_taken_apart(layer))
            body.layers[place] = torch.nn.Identity()
        self._last = _norm(body.norm)
        self._head = linear([model.lm_head])
        self._rotary = body.rotary_emb
        self._context_tokens = context_tokens
        self._cos, self._sin = self._angles(0)

    def __call__(self, now: Attending) -> torch.Tensor:
        """Logits of the rows that the plan keeps. KV is written on the way."""
        return self._head(self._last(self._body(now).index_select(0, now.plan.keep)))

    @property
    def width(self) -> int:
        return int(self._embeddings.shape[1])

    def states(self, now: Attending) -> torch.Tensor:
        """The last hidden states of all rows, as the head reads them."""
        states: torch.Tensor = self._last(self._body(now))
        return states

    def _body(self, now: Attending) -> torch.Tensor:
        """What the layers make of each row."""
        plan, shape = now.plan, now.pool.shape
        self._reach(now.pool.tables.shape[1] * BLOCK_TOKENS)
        cos = self._cos.index_select(0, plan.positions[0])
        sin = self._sin.index_select(0, plan.positions[0])
        x: torch.Tensor = self._embeddings.index_select(0, plan.tokens[0])
        for place, layer in enumerate(self._layers):
            heads = layer.into_heads(layer.before(x)).view(len(x), -1, shape.head_dim)
            x = x + layer.out_of_heads(_attended(layer, place, heads, (cos, sin), now))
            gate, up = layer.gate_and_up(layer.between(x)).chunk(2, dim=-1)
            x = x + layer.down(functional.silu(gate) * up)
        return x

    def _reach(self, positions: int) -> None:
        """Have the angles of so many positions, which a row of the pool can have at most."""
        wanted = min(positions, self._context_tokens)
        if len(self._cos) < wanted:
            self._cos, self._sin = self._angles(wanted)

    def _angles(self, positions: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Cosines and sines [positions, 1, head_dim]; sines of the first half are negated."""
        if not positions:
            return self._embeddings.new_empty(0), self._embeddings.new_empty(0)
        cos, sin = self._rotary(self._embeddings, torch.arange(positions)[None])
        half = sin.shape[-1] // 2
        signed = torch.cat((-sin[0, :, :half], sin[0, :, half:]), dim=-1)
        return cos[0, :, None].contiguous(), signed[:, None].contiguous()


def _attended(
    layer: _Layer,
    place: int,
    heads: torch.Tensor,
    angles: tuple[torch.Tensor, torch.Tensor],
    now: Attending,
) -> torch.Tensor:
    """What the heads say, [rows, heads * head_dim]."""
    kv = now.pool.shape.kv_heads
    turned = heads[:, :-kv]
    if layer.of_query is not None and layer.of_key is not None:
        query, key = turned[:, :-kv], turned[:, -kv:]
        turned = torch.cat((layer.of_query(query), layer.of_key(key)), dim=1)
    cos, sin = angles
    # Half a turn swaps the halves; transformers negates one of them, here its sines are.
    turned = turned * cos + turned.roll(turned.shape[-1] // 2, dims=-1) * sin
    attention.keep(place, turned[:, -kv:], heads[:, -kv:], now)
    said = attention.attend(turned[:, :-kv], place, now, layer.scale)
    return said.reshape(len(said), -1)


def _taken_apart(layer: Any) -> _Layer:
    heads, mlp = layer.self_attn, layer.mlp
    return _Layer(
        before=_norm(layer.input_layernorm),
        into_heads=linear([heads.q_proj, heads.k_proj, heads.v_proj]),
        of_query=_norm(heads.q_norm) if hasattr(heads, "q_norm") else None,
        of_key=_norm(heads.k_norm) if hasattr(heads, "k_norm") else None,
        out_of_heads=linear([heads.o_proj]),
        between=_norm(layer.post_attention_layernorm),
        gate_and_up=linear([mlp.gate_proj, mlp.up_proj]),
        down=linear([mlp.down_proj]),
        scale=heads.scaling,
    )


def _norm(norm: Any) -> _Norm:
    return _Norm(weight=norm.weight.detach(), epsilon=norm.variance_epsilon)
