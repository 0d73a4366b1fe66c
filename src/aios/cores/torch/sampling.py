"""Chooses one token per row of logits: a pure function of logits, decoding, seed and position.

The order is fixed: logit bias, grammar mask, repetition, presence and frequency penalties,
temperature, top-k, top-p, min-p, then one counter-based draw. Knows no batch: a row's result is
the same bit for bit whoever else is in the batch. That holds by construction, because what
crosses a row is a maximum or a sum of integers, and neither depends on the order of its terms:

    A token's weight is its probability relative to the likeliest one, as a whole number of
    2**-40. Sums of weights are exact in 64 bits, so top-p and the draw (inverse of the cumulative
    weights) have no rounding that a layout, a thread count or a device could change. What it gives
    up are tokens less than 2**-40 times as likely as the best: they are never drawn.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from aios.cores.torch.noise import uniform
from aios.errors import CoreFailed, InvalidArgument
from aios.syscalls.llm import Decoding, TokenLogprob

_ONE = 1 << 40  # weight of the likeliest token
_SLOT_BITS = 22  # a sort key is weight and slot in 63 bits: vocabularies up to 4 million
_BIAS_MAX = 1e9
_SMALLEST = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """What decides a row's token besides its logits."""

    decoding: Decoding
    seed: int
    branch: int
    position: int  # index of the token in the answer
    context: Sequence[int]  # prompt and produced ids; read only where penalties are on
    prompt_tokens: int  # how many of `context` are the prompt
    mask: torch.Tensor | None  # bool [V], the tokens that the grammar allows


@dataclass(frozen=True, slots=True)
class Chosen:
    """A row's token; its log-probability where the decoding asks for it."""

    token: int
    logprob: TokenLogprob | None


def check(decoding: Decoding, vocab_size: int) -> None:
    """Refuse what `choose` could not do for a model of that vocabulary."""
    for token, bias in decoding.logit_bias.items():
        if not 0 <= token < vocab_size:
            raise InvalidArgument(
                f"expected token ids from 0 to {vocab_size - 1} in logit_bias, got {token}"
            )
        if abs(bias) > _BIAS_MAX:
            raise InvalidArgument(
                f"expected a logit_bias between -1e9 and 1e9, got {bias} for token {token}"
            )


def choose(logits: torch.Tensor, draws: Sequence[Draw]) -> list[Chosen]:
    """One token for each row of `logits` [B, V] in fp32, which stay as they are.

    Raises `CoreFailed` naming the row where a row has no finite maximum: NaN, infinite, or every
    token masked.
    """
    assert logits.shape[0] == len(draws)
    assert logits.dtype == torch.float32
    scores = _edited(logits, draws)
    best, slots = scores.max(dim=1)  # of equal maxima the lowest slot
    for row, top in enumerate(best.tolist()):
        if not math.isfinite(top):
            raise CoreFailed(f"row {row}: expected a finite score, the best token's is {top}")
    tokens: list[int] = slots.tolist()
    rows = [row for row, draw in enumerate(draws) if draw.decoding.temperature > 0]
    if rows:
        relative = _rows(scores, rows) - _rows(best, rows)[:, None]
        drawn = _sampled(relative, [draws[row] for row in rows])
        for row, token in zip(rows, drawn, strict=True):
            tokens[row] = token
    logprobs = _logprobs(logits, draws, tokens)
    return [Chosen(token, logprobs.get(row)) for row, token in enumerate(tokens)]


def _edited(logits: torch.Tensor, draws: Sequence[Draw]) -> torch.Tensor:
    """The logits with bias, mask and penalties; the same object where no row has any."""
    biased = [row for row, draw in enumerate(draws) if draw.decoding.logit_bias]
    masked = [row for row, draw in enumerate(draws) if draw.mask is not None]
    penalised = [row for row, draw in enumerate(draws) if _has_penalties(draw.decoding)]
    if not (biased or masked or penalised):
        return logits
    scores = logits.clone(memory_format=torch.contiguous_format)
    if biased:
        _bias(scores, draws, biased)
    if masked:
        allowed = torch.stack([mask for draw in draws if (mask := draw.mask) is not None])
        scores[masked] = scores[masked].masked_fill(~allowed.to(scores.device), -math.inf)
    if penalised:
        _penalise(scores, draws, penalised)
    return scores


def _bias(scores: torch.Tensor, draws: Sequence[Draw], rows: Sequence[int]) -> None:
    flat, vocab, device = scores.view(-1), scores.shape[1], scores.device
    added = {
        row * vocab + token: bias
        for row in rows
        for token, bias in draws[row].decoding.logit_bias.items()
    }
    flat[torch.tensor(list(added), device=device)] += torch.tensor(
        list(added.values()), dtype=torch.float32, device=device
    )


def _has_penalties(decoding: Decoding) -> bool:
    return (
        decoding.repetition_penalty != 1
        or decoding.presence_penalty != 0
        or decoding.frequency_penalty != 0
    )


def _penalise(scores: torch.Tensor, draws: Sequence[Draw], rows: Sequence[int]) -> None:
    """Repetition counts the whole context once; presence and frequency what was produced."""
    vocab, flat, device = scores.shape[1], scores.view(-1), scores.device
    ids = [np.asarray(draws[row].context, dtype=np.int64) + row * vocab for row in rows]
    seen, _ = np.unique(np.concatenate(ids), return_counts=True)
    fresh = [some[draws[row].prompt_tokens :] for row, some in zip(rows, ids, strict=True)]
    produced, counts = np.unique(np.concatenate(fresh), return_counts=True)

    def per_row(of: NDArray[np.int64], field: str) -> NDArray[np.float64]:
        return np.array([getattr(draw.decoding, field) for draw in draws])[of // vocab]

    where = torch.from_numpy(seen).to(device)
    factor = torch.from_numpy(per_row(seen, "repetition_penalty").astype(np.float32)).to(device)
    old = flat[where]
    flat[where] = torch.where(old < 0, old * factor, old / factor)
    less = per_row(produced, "frequency_penalty") * counts + per_row(produced, "presence_penalty")
    flat[torch.from_numpy(produced).to(device)] -= torch.from_numpy(less.astype(np.float32)).to(
        device
    )


def _sampled(scores: torch.Tensor, draws: Sequence[Draw]) -> list[int]:
    """Draw from rows whose best score is 0."""
    device = scores.device
    heat = [max(draw.decoding.temperature, _SMALLEST) for draw in draws]
    weights = _weights(scores / torch.tensor(heat, device=device)[:, None])
    _cut_ranks(weights, draws)
    if any(draw.decoding.min_p > 0 for draw in draws):
        least = torch.tensor([int(draw.decoding.min_p * _ONE) for draw in draws], device=device)
        weights.masked_fill_(weights < least[:, None], 0)
    reached = weights.cumsum(dim=1)
    total = reached[:, -1]
    noise = uniform(
        [draw.seed for draw in draws],
        [draw.branch for draw in draws],
        [draw.position for draw in draws],
    )
    aim = (torch.from_numpy(noise).to(device) * total.double()).long()
    # The product may round up to the total, which lies beyond the last token.
    aim = torch.minimum(aim, total - 1)
    drawn: list[int] = torch.searchsorted(reached, aim[:, None], right=True)[:, 0].tolist()
    return drawn


def _weights(scores: torch.Tensor) -> torch.Tensor:
    """exp of scores <= 0 as whole numbers of 2**-40. exp is elementwise, so layout-free."""
    return (scores.exp() * float(_ONE)).long()


def _cut_ranks(weights: torch.Tensor, draws: Sequence[Draw]) -> None:
    """Zero what top-k, and of the rest what top-p, leaves out. Of equal weights lower ids stay."""
    vocab, device = weights.shape[1], weights.device
    rows = [
        row
        for row, draw in enumerate(draws)
        if draw.decoding.top_p < 1 or 0 < draw.decoding.top_k < vocab
    ]
    if not rows:
        return
    # Weight above, slot below: one number that no other slot has, so the cut needs no ties rule.
    slots = torch.arange((1 << _SLOT_BITS) - 1, (1 << _SLOT_BITS) - 1 - vocab, -1, device=device)
    keys = (_rows(weights, rows) << _SLOT_BITS) | slots
    ranked = _descending(keys)
    top_k = [min(draws[row].decoding.top_k or vocab, vocab) for row in rows]
    top_p = [draws[row].decoding.top_p for row in rows]
    kept = torch.tensor(top_k, device=device)[:, None]
    in_k = torch.arange(vocab, device=device) < kept
    mass = torch.where(in_k, ranked >> _SLOT_BITS, 0)
    before = mass.cumsum(dim=1) - mass
    wanted = torch.tensor(top_p, device=device, dtype=torch.float64) * mass.sum(dim=1)
    kept = (in_k & (before < wanted[:, None])).sum(dim=1, keepdim=True)
    edge = ranked.gather(1, kept - 1)
    weights[rows] = torch.where(keys >= edge, keys >> _SLOT_BITS, 0)


def _rows(of: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
    if len(rows) == of.shape[0]:
        return of
    return of.index_select(0, torch.tensor(rows, device=of.device))


def _descending(keys: torch.Tensor) -> torch.Tensor:
    # NumPy sorts rows of numbers on a CPU some twenty times faster than torch does.
    if keys.device.type == "cpu":
        return torch.from_numpy(np.sort(keys.numpy(), axis=1)).flip(1)
    return keys.sort(dim=1, descending=True).values


def _logprobs(
    logits: torch.Tensor, draws: Sequence[Draw], tokens: Sequence[int]
) -> dict[int, TokenLogprob]:
    """Natural-log softmax of the logits as the model gave them, for the rows that ask."""
    rows = [row for row, draw in enumerate(draws) if draw.decoding.logprobs is not None]
    if not rows:
        return {}
    wanted = _rows(logits, rows)
    best = wanted.max(dim=1).values
    totals = _weights(wanted - best[:, None]).sum(dim=1).tolist()
    found = {}
    for row, scores, top, total in zip(rows, wanted, best.tolist(), totals, strict=True):
        norm = top + math.log(total / _ONE)
        best_slots = leaders(scores, draws[row].decoding.logprobs or 0)
        found[row] = TokenLogprob(
            token_id=tokens[row],
            logprob=float(scores[tokens[row]]) - norm,
            top=tuple((slot, score - norm) for slot, score in best_slots),
        )
    return found


def leaders(scores: torch.Tensor, count: int) -> list[tuple[int, float]]:
    """The best `count` slots above -inf, best first, of equals the lowest."""
    if count == 0:
        return []
    edge = scores.topk(min(count, scores.shape[0])).values[-1]
    slots = ((scores >= edge) & (scores > -math.inf)).nonzero()[:, 0]
    pairs = zip(slots.tolist(), scores[slots].tolist(), strict=True)
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:count]
