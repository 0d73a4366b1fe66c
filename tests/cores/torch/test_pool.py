"""The block pool: nobody's blocks are lost, given twice, or written while they are shared."""

import random

import numpy as np
import pytest
import torch

from aios.cores.torch.pool import KvShape, Pool
from aios.cores.torch.prefix import PrefixCache
from aios.cores.torch.settings import BLOCK_TOKENS

SHAPE = KvShape(layers=2, kv_heads=1, head_dim=4, dtype=torch.float32)


def pool(blocks: int = 40) -> Pool:
    return Pool(SHAPE, PrefixCache(64, 4), blocks=blocks, row_blocks=16, device="cpu")


def write(of: Pool, row: int, position: int, value: float) -> None:
    of.make_ready([row], [position])
    block = of.tables[row, position // BLOCK_TOKENS]
    of.kv[:, block, position % BLOCK_TOKENS] = value


def read(of: Pool, row: int, position: int) -> float:
    block = of.tables[row, position // BLOCK_TOKENS]
    return float(of.kv[0, block, position % BLOCK_TOKENS, 0, 0])


def test_a_fork_shares_blocks_until_one_side_writes() -> None:
    blocks = pool()
    row = blocks.open()
    for position in range(20):
        write(blocks, row, position, 1.0)

    twin = blocks.fork(row)
    shared = blocks.held_blocks([row, twin])
    write(blocks, twin, 20, 2.0)

    assert shared == 2
    assert blocks.held_blocks([row, twin]) == 3
    assert read(blocks, twin, 19) == 1.0
    assert read(blocks, row, 20) == 0.0


def test_reparent_makes_rows_what_their_parents_were_all_at_once() -> None:
    blocks = pool()
    rows = [blocks.open() for _ in range(3)]
    for value, row in enumerate(rows):
        write(blocks, row, 0, float(value))

    result = blocks.reparent(rows, (2, 0, 0, 2))

    assert [read(blocks, row, 0) for row in result] == [2.0, 0.0, 0.0, 2.0]
    assert blocks.room == 38


def test_reparent_to_fewer_rows_closes_the_others() -> None:
    blocks = pool()
    rows = [blocks.open() for _ in range(3)]
    for row in rows:
        write(blocks, row, 0, float(row))

    (left,) = blocks.reparent(rows, (1,))

    assert read(blocks, left, 0) == float(rows[1])
    assert blocks.room == 39


def test_room_counts_what_a_cached_prefix_could_give_up() -> None:
    blocks = pool(blocks=4)
    row = blocks.open()
    blocks.grow(row, 64)
    blocks.cache.keep(tuple(range(64)), blocks.blocks(row))
    blocks.close(row)

    other = blocks.open()
    room = blocks.room
    blocks.grow(other, 64)

    assert room == 4
    assert blocks.room == 0
    assert not len(blocks.cache.find(tuple(range(64))))


@pytest.mark.parametrize("seed", range(30))
def test_after_any_history_every_row_reads_what_was_written_to_it(seed: int) -> None:
    rng = random.Random(seed)
    blocks = pool(blocks=60)
    expected: dict[int, list[float]] = {}
    for number in range(200):
        act = rng.choice(["open", "write", "write", "write", "fork", "close", "reparent"])
        if act == "open" and len(expected) < 8:
            expected[blocks.open()] = []
        elif not expected:
            continue
        row = rng.choice(list(expected))
        if act == "write" and len(expected[row]) < 100 and blocks.room > 1:
            write(blocks, row, len(expected[row]), float(number))
            expected[row].append(float(number))
        elif act == "fork" and len(expected) < 8:
            expected[blocks.fork(row)] = list(expected[row])
        elif act == "close":
            blocks.close(row)
            del expected[row]
        elif act == "reparent":
            rows = list(expected)
            parents = [rng.randrange(len(rows)) for _ in range(rng.randint(1, 8))]
            old = [expected.pop(one) for one in rows]
            result = blocks.reparent(rows, parents)
            expected |= {one: list(old[of]) for one, of in zip(result, parents, strict=True)}
        for one, values in expected.items():
            assert [read(blocks, one, at) for at in range(len(values))] == values
    held = blocks.held(list(expected))
    assert blocks.room == 60 - len(held)
    for one in expected:
        blocks.close(one)
    assert blocks.room == 60
    assert np.count_nonzero(blocks.counts) == 0
