"""Plans: what shares an attention call, where chunks begin, how passes are filled up."""

import numpy as np
import torch

from aios.cores.torch.plan import Rows, Rules, Span, passes, plan, rules_for
from aios.cores.torch.pool import KvShape, Pool
from aios.cores.torch.prefix import PrefixCache

EXACT = rules_for(exact=True, device="cpu", chunk_tokens=64)
FAST = rules_for(exact=False, device="cpu", chunk_tokens=64)


def pool_with(*lengths: int) -> Pool:
    shape = KvShape(layers=1, kv_heads=1, head_dim=4, dtype=torch.float32)
    pool = Pool(shape, PrefixCache(64, 4), blocks=400, row_blocks=64, device="cpu")
    for length in lengths:
        pool.grow(pool.open(), length)
    return pool


def work(positions: list[int], spans: list[Span] | None = None) -> Rows:
    count = len(positions)
    return Rows(
        rows=np.arange(count),
        tokens=np.arange(count) + 100,
        positions=np.array(positions, dtype=np.int64),
        wanted=np.ones(count, dtype=np.bool_),
        spans=spans or [],
    )


def span(row: int, start: int, count: int) -> Span:
    return Span(row=row, start=start, tokens=tuple(range(count)), wanted=True)


def test_in_exact_mode_rows_share_attention_only_with_rows_of_the_same_rounded_length() -> None:
    positions = [10, 70, 63, 64, 300]

    found = plan(work(positions), pool_with(*(at + 1 for at in positions)), EXACT)

    keys = [(group.end - group.begin, group.bias.shape[-1]) for group in found.groups]
    assert keys == [(2, 64), (2, 128), (1, 320)]


def test_in_fast_mode_rows_share_attention_up_to_twice_their_length() -> None:
    positions = [10, 70, 63, 150, 300]

    found = plan(work(positions), pool_with(*(at + 1 for at in positions)), FAST)

    assert [group.end - group.begin for group in found.groups] == [2, 2, 1]


def test_each_row_sees_its_own_positions_and_no_others() -> None:
    positions = [10, 70, 63]

    found = plan(work(positions), pool_with(11, 71, 64), EXACT)

    seen = [(row == 0).sum().item() for group in found.groups for row in group.bias[:, 0, 0]]
    assert seen == [11, 64, 71]


def test_logits_come_in_the_order_of_the_work() -> None:
    positions = [300, 10, 70]

    found = plan(work(positions, [span(0, 0, 5)]), pool_with(301, 11, 71), EXACT)

    rows = found.tokens[0][found.keep[: found.kept]].tolist()
    assert rows == [100, 101, 102, 4]


def test_in_exact_mode_rows_and_logits_are_filled_up_to_multiples() -> None:
    found = plan(work([10, 11, 12], [span(0, 0, 5)]), pool_with(20, 20, 20), EXACT)

    assert found.tokens.shape[1] == 16
    assert len(found.keep) == 8
    assert (found.chunks[0].begin, found.chunks[0].end) == (3, 11)


def test_padding_writes_to_block_0_only() -> None:
    found = plan(work([10], [span(1, 0, 5)]), pool_with(20, 20), EXACT)

    padding = torch.cat((found.slots[6:9], found.slots[found.used :]))
    assert padding.tolist() == [0] * len(padding)
    assert (found.slots[:6] >= 16).all()


def test_chunks_end_at_the_grid_whatever_the_load() -> None:
    alone = list(passes(work([], [span(0, 64, 150)]), EXACT))
    crowded = list(passes(work([5] * 500, [span(0, 64, 150)]), EXACT))

    def pieces(parts: list[Rows]) -> list[tuple[int, int]]:
        return [(one.start, len(one.tokens)) for part in parts for one in part.spans]

    assert pieces(alone) == pieces(crowded) == [(64, 64), (128, 64), (192, 22)]


def test_no_pass_is_larger_than_the_rules_allow_and_nothing_is_lost() -> None:
    rules = Rules(exact=True, rows=64, rows_max=64, heads=4, queries=8, grid=64)
    parts = list(passes(work([5] * 150, [span(0, 0, 70), span(1, 0, 30)]), rules))

    sizes = [len(part.rows) + sum(len(one.tokens) for one in part.spans) for part in parts]
    assert max(sizes) <= 64
    assert sum(sizes) == 250
    assert np.concatenate([part.tokens for part in parts]).tolist() == list(range(100, 250))


def test_only_the_end_of_a_span_asks_for_logits() -> None:
    (part,) = passes(work([], [span(0, 0, 100)]), EXACT)

    assert [one.wanted for one in part.spans] == [False, True]
