"""Beam search as data: a tree and rows of log-probabilities in, the next tree and a move out.

Equal to `generate(num_beams=...)` of transformers. Knows no model, no KV and no generation: the
core forks and drops branches as the move says. A tree is plain data with exact floats, so that it
lies in a snapshot and goes on as if it had never stopped.

Each step takes the best (1 + number of end tokens) * width continuations of all live beams, which
is enough that `width` of them go on even if every beam also ends in every way it can. Of those
that end, only the ones among the best `width` become hypotheses; the `width` best hypotheses, by
log-probability / length ** length_penalty, are kept. The search is done when there are `width`
hypotheses and the best live beam, had it ended now, would not be better than the worst of them
(or at once, with early stopping), or at `max_tokens`. That guess about the best live beam is
what transformers does; with a length penalty above 0 it can stop before a better, longer answer.
"""

import math
from dataclasses import dataclass

import msgspec
import torch

from aios.cores.torch.sampling import leaders
from aios.errors import CoreFailed
from aios.syscalls.llm import Beams


class Hypothesis(msgspec.Struct, frozen=True):
    """An answer with its length-normalised score; `finished` if it ends with an end token."""

    token_ids: tuple[int, ...]
    score: float
    finished: bool


class Beam(msgspec.Struct, frozen=True):
    """A live beam; `score` is its log-probability, a sum in fp32."""

    token_ids: tuple[int, ...]
    score: float


class BeamTree(msgspec.Struct, frozen=True, kw_only=True):
    """All there is to know of a beam search besides its KV."""

    beams: Beams
    prompt_tokens: int
    max_tokens: int
    n: int
    eos: frozenset[int]
    live: tuple[Beam, ...]  # best first, as many as the core has branches
    hypotheses: tuple[Hypothesis, ...] = ()  # best first, at most `width`
    done: bool = False


@dataclass(frozen=True, slots=True)
class BeamMove:
    """Branch i of the new tree goes on from row `parents[i]` with `tokens[i]`."""

    parents: tuple[int, ...]
    tokens: tuple[int, ...]
    done: bool


def plant(
    beams: Beams, prompt_tokens: int, max_tokens: int, n: int, eos: frozenset[int]
) -> BeamTree:
    """A tree of one live beam, the prompt. It has `width` of them from the first step on."""
    assert max_tokens >= 1
    assert 1 <= n <= beams.width
    return BeamTree(
        beams=beams,
        prompt_tokens=prompt_tokens,
        max_tokens=max_tokens,
        n=n,
        eos=eos,
        live=(Beam((), 0.0),),
    )


def advance(tree: BeamTree, logprobs: torch.Tensor) -> tuple[BeamTree, BeamMove]:
    """One step; `logprobs` [live beams, V] in fp32, so the first call gets one row.

    Under a grammar, rows come with -inf for what is not allowed and are not renormalised, so that
    scores stay the model's own log-probabilities. Beams that may go nowhere are dropped.
    """
    assert not tree.done
    assert logprobs.shape[0] == len(tree.live)
    best = _continuations(tree, logprobs)
    length = len(tree.live[0].token_ids) + 1
    is_last = length >= tree.max_tokens
    ends = [is_last or step.token in tree.eos for step in best]
    width = tree.beams.width
    ended = [_hypothesis(tree, step) for step, end in zip(best[:width], ends, strict=False) if end]
    # A stable sort: of equal scores the older hypothesis stays.
    hypotheses = tuple(sorted((*tree.hypotheses, *ended), key=lambda one: -one.score)[:width])
    going = [step for step, end in zip(best, ends, strict=True) if not end][:width]
    if not (hypotheses or going):
        raise CoreFailed("expected a beam that may go on, every continuation is masked")
    done = not going or _cannot_improve(tree.beams, hypotheses, going[0].score, length)
    live = tuple(
        Beam((*tree.live[step.parent].token_ids, step.token), step.score) for step in going
    )
    grown = msgspec.structs.replace(tree, live=live, hypotheses=hypotheses, done=done)
    move = BeamMove(tuple(step.parent for step in going), tuple(step.token for step in going), done)
    return grown, move


def harvest(tree: BeamTree) -> tuple[Hypothesis, ...]:
    """The `n` best answers, best first; live beams fill up what a search cut short lacks."""
    rest = [
        Hypothesis(beam.token_ids, _score(tree.beams, beam.score, len(beam.token_ids)), False)
        for beam in tree.live
        if beam.token_ids
    ]
    return (*tree.hypotheses, *rest)[: tree.n]


@dataclass(frozen=True, slots=True)
class _Step:
    """A continuation of the live beam `parent`."""

    parent: int
    token: int
    score: float


def _continuations(tree: BeamTree, logprobs: torch.Tensor) -> list[_Step]:
    """The best continuations of all live beams; of equals the better beam, then the lower id."""
    vocab, device = logprobs.shape[1], logprobs.device
    scores = torch.tensor([beam.score for beam in tree.live], dtype=torch.float32, device=device)
    # Sums in fp32, as transformers makes them: equal near-ties matter more than digits.
    reached = (logprobs + scores[:, None]).view(-1)
    top = reached.max().item()
    if math.isnan(top) or top == math.inf:
        raise CoreFailed(f"expected a finite log-probability, the best is {top}")
    count = max(2, 1 + len(tree.eos)) * tree.beams.width
    return [_Step(slot // vocab, slot % vocab, score) for slot, score in leaders(reached, count)]


def _hypothesis(tree: BeamTree, step: _Step) -> Hypothesis:
    tokens = (*tree.live[step.parent].token_ids, step.token)
    score = _score(tree.beams, step.score, len(tokens))
    return Hypothesis(tokens, score, step.token in tree.eos)


def _cannot_improve(
    beams: Beams, hypotheses: tuple[Hypothesis, ...], best_live: float, length: int
) -> bool:
    if len(hypotheses) < beams.width:
        return False
    return beams.early_stopping or _score(beams, best_live, length) <= hypotheses[-1].score


def _score(beams: Beams, logprob: float, length: int) -> float:
    return float(logprob / length**beams.length_penalty)
