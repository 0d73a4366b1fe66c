"""Batches of generated conversations, as tensors. Knows nothing of optimisers or files."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer

from aios.models.pocket.chat import PAD, segments
from aios.models.pocket.tasks import Mix, Task, tasks

LENGTH_MAX = 1100  # a longer conversation is left out
_POOL = 256  # conversations sorted by length together
_TOLD_WEIGHT = 0.1  # what the assistant did not write teaches a little too


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of token ids, padded on the right, with the weight of each token as a target."""

    ids: torch.Tensor
    weights: torch.Tensor


@dataclass(frozen=True, slots=True)
class _Row:
    ids: list[int]
    weights: list[float]


def batches(
    tokenizer: Tokenizer, seed: str, tokens: int, mix: Mix, *, turns: int | None
) -> Iterator[Batch]:
    """Batches of about `tokens` tokens without end, each of conversations alike in length."""
    rng = random.Random(seed)
    pool = 0
    while True:
        drawn = list(tasks(f"{seed} {pool}", _POOL, mix=mix, turns=turns))
        rows = sorted(rows_of(tokenizer, drawn), key=lambda row: len(row.ids))
        groups = _groups([row for row in rows if len(row.ids) <= LENGTH_MAX], tokens)
        rng.shuffle(groups)
        for group in groups:
            yield collate(tokenizer, group)
        pool += 1


def rows_of(tokenizer: Tokenizer, drawn: list[Task]) -> list[_Row]:
    """Token ids and weights of each task."""
    parts = [segments(task) for task in drawn]
    flat = [part for conversation in parts for part in conversation]
    encoded = iter(tokenizer.encode_batch_fast([part.text for part in flat]))
    rows = []
    for conversation in parts:
        ids: list[int] = []
        weights: list[float] = []
        for part in conversation:
            piece = next(encoded).ids
            ids += piece
            weights += [1.0 if part.learned else _TOLD_WEIGHT] * len(piece)
        rows.append(_Row(ids, weights))
    return rows


def collate(tokenizer: Tokenizer, rows: list[_Row]) -> Batch:
    """Put rows of different lengths into one batch."""
    pad = tokenizer.encode(PAD).ids[0]
    length = max(len(row.ids) for row in rows)
    ids = torch.full((len(rows), length), pad)
    weights = torch.zeros(len(rows), length)
    for index, row in enumerate(rows):
        ids[index, : len(row.ids)] = torch.tensor(row.ids)
        weights[index, : len(row.ids)] = torch.tensor(row.weights)
    return Batch(ids, weights)


def _groups(rows: list[_Row], tokens: int) -> list[list[_Row]]:
    groups: list[list[_Row]] = []
    for row in rows:
        # Rows come shortest first, so that the newest row sets the padded length.
        if groups and (len(groups[-1]) + 1) * len(row.ids) <= tokens:
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups
