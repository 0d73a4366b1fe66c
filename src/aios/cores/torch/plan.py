"""Cuts what is to be computed into forward passes and says, as index tensors, where each row is.

Rows of one pass are flattened: decode rows first, in groups whose attention runs as one call, then
chunks of prompts, then padding. Knows the pool's tables and no weights.

Why a result does not depend on its company, in exact mode: matrix products give a row the same
bits in any company as long as the number of rows is a multiple of `rows`; attention of a row runs
over its own length rounded up, beside rows of the same rounded length only; and chunks of prompts
begin at multiples of the grid, whatever the load. The self-test proves it for the machine at hand.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch

from aios.cores.torch.pool import Pool
from aios.cores.torch.settings import BLOCK_TOKENS

Ints = npt.NDArray[np.int64]
BUCKET_BLOCKS = 4  # attention of a decode row runs over whole buckets of 64 positions


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What is rounded to what. `grid` 0: spans are computed whole."""

    exact: bool
    rows: int  # rows of a pass are padded to a multiple of this
    rows_max: int  # rows of one pass
    heads: int  # query heads that share a KV head are padded to a multiple of this
    queries: int  # a span's rows are padded to a multiple of this
    grid: int  # a span is cut at multiples of this


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Prompt tokens of one row from position `start` on; `wanted`: the last one's logits."""

    row: int
    start: int
    tokens: Sequence[int]
    wanted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """One decode step of each of `rows`, and spans. Logits come for `wanted` rows, then spans."""

    rows: Ints
    tokens: Ints
    positions: Ints
    wanted: npt.NDArray[np.bool_]
    spans: Sequence[Span] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Decode rows `begin` to `end` of a pass, all attending over as many blocks."""

    begin: int
    end: int
    blocks: torch.Tensor  # flat: the first row's blocks, the second's, ...
    bias: torch.Tensor  # [rows, 1, 1, keys]: 0 or -inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Rows `begin` to `end` of a pass: consecutive positions of one sequence."""

    begin: int
    end: int
    blocks: torch.Tensor
    bias: torch.Tensor  # [rows, keys]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One forward pass."""

    tokens: torch.Tensor  # [1, rows]
    positions: torch.Tensor  # [1, rows]
    slots: torch.Tensor  # where each row's KV goes
    keep: torch.Tensor  # rows whose logits are wanted, padded
    kept: int  # how many of them are real
    used: int  # rows before the padding at the end
    groups: tuple[Group, ...]
    chunks: tuple[Chunk, ...]


def rules_for(*, exact: bool, device: str, chunk_tokens: int) -> Rules:
    """Rules that were measured to be exact on CPUs; on a GPU every pass has one shape."""
    if not exact:
        return Rules(exact=False, rows=1, rows_max=8192, heads=1, queries=1, grid=0)
    on_cpu = device == "cpu"
    return Rules(
        exact=True,
        rows=8 if on_cpu else max(64, chunk_tokens),
        rows_max=512 if on_cpu else max(64, chunk_tokens),
        heads=4,
        queries=8,
        grid=chunk_tokens,
    )


def passes(work: Rows, rules: Rules) -> Iterator[Rows]:
    """The same work in parts of at most `rows_max` rows; logits come in the same order."""
    spans = [piece for span in work.spans for piece in _cut(span, rules)]
    nothing = Rows(
        rows=work.rows[:0], tokens=work.tokens[:0], positions=work.positions[:0],
        wanted=work.wanted[:0],
    )  # fmt: skip
    last, room = nothing, rules.rows_max
    for begin in range(0, len(work.rows), rules.rows_max):
        if begin:
            yield last
        part = slice(begin, begin + rules.rows_max)
        last = Rows(
            rows=work.rows[part], tokens=work.tokens[part], positions=work.positions[part],
            wanted=work.wanted[part],
        )  # fmt: skip
        room = rules.rows_max - len(last.rows)
    taken: list[Span] = []
    for span in spans:
        size = _rounded(len(span.tokens), rules.queries)
        if size > room:
            yield _with(last, taken)
            last, taken, room = nothing, [], rules.rows_max
        taken.append(span)
        room -= size
    yield _with(last, taken)


def plan(work: Rows, pool: Pool, rules: Rules) -> Plan:
    """Index tensors of one pass."""
    order, sizes = _buckets(work.positions, rules)
    spans = _Spans(work.spans, pool, rules, len(order))
    rows, positions = work.rows[order], work.positions[order]
    slots = _slots(pool.tables[rows, positions // BLOCK_TOKENS], positions)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    keep = np.concatenate((place[work.wanted], spans.last))
    kept, used = len(keep), len(order) + len(spans.tokens)
    rest = -used % rules.rows
    ints = [
        np.concatenate((work.tokens[order], spans.tokens, np.zeros(rest, dtype=np.int64))),
        np.concatenate((positions, spans.positions, np.zeros(rest, dtype=np.int64))),
        np.concatenate((slots, spans.slots, np.zeros(rest, dtype=np.int64))),
        np.concatenate((keep, np.zeros(-kept % rules.rows, dtype=np.int64))),
        *(pool.tables[rows[begin:end], :blocks].ravel() for begin, end, blocks in sizes),
        *spans.tables,
    ]
    tensors = _upload(ints, pool.kv.device)
    tables = tensors[4:]
    return Plan(
        tokens=tensors[0][None],
        positions=tensors[1][None],
        slots=tensors[2],
        keep=tensors[3],
        kept=kept,
        used=used,
        groups=tuple(
            Group(begin=begin, end=end, blocks=table, bias=_length_bias(
                tensors[1][begin:end], blocks * BLOCK_TOKENS, pool.kv.dtype))
            for (begin, end, blocks), table in zip(sizes, tables, strict=False)
        ),
        chunks=tuple(
            Chunk(begin=begin, end=end, blocks=table, bias=_causal_bias(
                tensors[1][begin:end], len(table) * BLOCK_TOKENS, pool.kv.dtype))
            for (begin, end), table in zip(spans.places, tables[len(sizes):], strict=True)
        ),
    )  # fmt: skip


class _Spans:
    """The rows of all spans of a pass, the first of them at row `begin`."""

    def __init__(self, spans: Sequence[Span], pool: Pool, rules: Rules, begin: int) -> None:
        tokens: list[int] = []
        positions: list[Ints] = [np.empty(0, dtype=np.int64)]
        slots: list[Ints] = [np.empty(0, dtype=np.int64)]
        last: list[int] = []
        self.places: list[tuple[int, int]] = []
        self.tables: list[Ints] = []
        for span in spans:
            count, first = len(span.tokens), begin + len(tokens)
            padding = -count % rules.queries
            at = np.arange(span.start, span.start + count)
            own = _slots(pool.tables[span.row, at // BLOCK_TOKENS], at)
            tokens += [*span.tokens, *[0] * padding]
            # Padding repeats the last position, and writes to block 0.
            positions.append(np.pad(at, (0, padding), mode="edge"))
            slots.append(np.pad(own, (0, padding)))
            self.places.append((first, first + count + padding))
            self.tables.append(pool.tables[span.row, : _key_blocks(span.start + count, rules)])
            if span.wanted:
                last.append(first + count - 1)
        self.tokens: Ints = np.array(tokens, dtype=np.int64)
        self.positions = np.concatenate(positions)
        self.slots = np.concatenate(slots)
        self.last: Ints = np.array(last, dtype=np.int64)


def _cut(span: Span, rules: Rules) -> Iterator[Span]:
    """Pieces that end at multiples of the grid and are no longer than a pass."""
    step = rules.grid or rules.rows_max
    begin, end = span.start, span.start + len(span.tokens)
    while begin < end:
        stop = min(end, (begin // step + 1) * step)
        piece = span.tokens[begin - span.start : stop - span.start]
        yield Span(row=span.row, start=begin, tokens=piece, wanted=span.wanted and stop == end)
        begin = stop


def _with(rows: Rows, spans: Sequence[Span]) -> Rows:
    return Rows(
        rows=rows.rows, tokens=rows.tokens, positions=rows.positions, wanted=rows.wanted,
        spans=spans,
    )  # fmt: skip


def _buckets(positions: Ints, rules: Rules) -> tuple[Ints, list[tuple[int, int, int]]]:
    """An order of the rows in which each group is contiguous, and (begin, end, blocks) of each.

    Exact: a group is a bucket of own length. Fast: lengths up to twice the shortest share a group.
    """
    if not len(positions):
        return positions, []
    blocks = positions // BLOCK_TOKENS + 1
    buckets = -(-blocks // BUCKET_BLOCKS)
    keys = buckets if rules.exact else np.frexp(buckets)[1]
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    edges = [0, *((ordered[1:] != ordered[:-1]).nonzero()[0] + 1).tolist(), len(ordered)]
    sizes = []
    for begin, end in pairwise(edges):
        longest = int(buckets[order[begin]]) * BUCKET_BLOCKS
        most = longest if rules.exact else int(blocks[order[begin:end]].max())
        sizes.append((begin, end, most))
    return order, sizes


def _key_blocks(tokens: int, rules: Rules) -> int:
    blocks = -(-tokens // BLOCK_TOKENS)
    return _rounded(blocks, BUCKET_BLOCKS) if rules.exact else blocks


def _rounded(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple


def _slots(blocks: Ints, positions: Ints) -> Ints:
    slots: Ints = blocks * BLOCK_TOKENS + positions % BLOCK_TOKENS
    return slots


def _upload(parts: Sequence[Ints], device: torch.device) -> tuple[torch.Tensor, ...]:
    """One transfer for all of them."""
    flat = torch.from_numpy(np.concatenate(parts)).to(device)
    return torch.split(flat, [len(part) for part in parts])


def _length_bias(positions: torch.Tensor, keys: int, dtype: torch.dtype) -> torch.Tensor:
    return _causal_bias(positions, keys, dtype)[:, None, None, :]


def _causal_bias(positions: torch.Tensor, keys: int, dtype: torch.dtype) -> torch.Tensor:
    beyond = torch.arange(keys, device=positions.device) > positions[:, None]
    bias = torch.zeros(beyond.shape, dtype=dtype, device=positions.device)
    return bias.masked_fill_(beyond, float("-inf"))
