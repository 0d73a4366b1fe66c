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
    rows, at = work.rows[order], work.positions[order]
    slots = _slots(pool.tables[rows, at // BLOCK_TOKENS], at)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    spans = _Spans(work.spans, pool, rules, len(order))
    keep = [place[work.wanted], spans.last]
    kept, used = len(keep[0]) + len(spans.last), len(order) + len(spans.tokens)
    total, keeps = _rounded(used, rules.rows), _rounded(kept, rules.rows)
    tables = [pool.tables[rows[begin:end], :most].ravel() for begin, end, most in sizes]
    fields = _upload(
        [
            (total, [work.tokens[order], spans.tokens]),
            (total, [at, spans.positions]),
            (total, [slots, spans.slots]),
            (keeps, keep),
            *((len(table), [table]) for table in (*tables, *spans.tables)),
        ],
        pool.kv.device,
    )
    tokens, positions, targets, logits = fields[:4]
    dtype = pool.kv.dtype
    groups = [
        Group(begin=begin, end=end, blocks=table, bias=_bias(positions[begin:end], most, dtype))
        for (begin, end, most), table in zip(sizes, fields[4:], strict=False)
    ]
    chunks = [
        Chunk(begin=begin, end=end, blocks=table,
              bias=_bias(positions[begin:end], len(table), dtype)[:, 0, 0])
        for (begin, end), table in zip(spans.places, fields[4 + len(sizes):], strict=True)
    ]  # fmt: skip
    return Plan(
        tokens=tokens[None],
        positions=positions[None],
        slots=targets,
        keep=logits,
        kept=kept,
        used=used,
        groups=tuple(groups),
        chunks=tuple(chunks),
    )


class _Spans:
    """The rows of all spans of a pass, the first of them at row `begin`."""

    def __init__(self, spans: Sequence[Span], pool: Pool, rules: Rules, begin: int) -> None:
        size = sum(_rounded(len(span.tokens), rules.queries) for span in spans)
        self.tokens: Ints = np.zeros(size, dtype=np.int64)
        self.positions: Ints = np.zeros(size, dtype=np.int64)
        self.slots: Ints = np.zeros(size, dtype=np.int64)
        self.last: Ints = np.zeros(sum(span.wanted for span in spans), dtype=np.int64)
        self.places: list[tuple[int, int]] = []
        self.tables: list[Ints] = []
        first = wanted = 0
        for span in spans:
            count = len(span.tokens)
            end = first + _rounded(count, rules.queries)
            at = np.arange(span.start, span.start + count)
            self.tokens[first : first + count] = span.tokens
            # Padding stands at the last position, and writes to block 0.
            self.positions[first:end] = at[-1]
            self.positions[first : first + count] = at
            own = pool.tables[span.row, at // BLOCK_TOKENS]
            self.slots[first : first + count] = _slots(own, at)
            self.places.append((begin + first, begin + end))
            self.tables.append(pool.tables[span.row, : _key_blocks(span.start + count, rules)])
            if span.wanted:
                self.last[wanted] = begin + first + count - 1
                wanted += 1
            first = end


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
    if (keys == keys[0]).all():
        order, ordered = np.arange(len(keys)), keys
    else:
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


def _upload(
    fields: Sequence[tuple[int, Sequence[Ints]]], device: torch.device
) -> list[torch.Tensor]:
    """Fields of a length each, filled up with zeros; one transfer for all of them."""
    flat = np.zeros(sum(length for length, _ in fields), dtype=np.int64)
    begin = 0
    for length, parts in fields:
        at = begin
        for part in parts:
            flat[at : at + len(part)] = part
            at += len(part)
        begin += length
    return list(torch.split(torch.from_numpy(flat).to(device), [length for length, _ in fields]))


def _bias(positions: torch.Tensor, blocks: int, dtype: torch.dtype) -> torch.Tensor:
    """[rows, 1, 1, keys]: -inf where a key comes after the row's position."""
    keys = torch.arange(blocks * BLOCK_TOKENS, device=positions.device)
    beyond = keys > positions[:, None, None, None]
    bias = torch.zeros(beyond.shape, dtype=dtype, device=positions.device)
    return bias.masked_fill_(beyond, float("-inf"))
