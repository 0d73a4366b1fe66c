"""The self-test: it finds rules that are not exact, and leaves no trace."""

import dataclasses
from pathlib import Path

import pytest

from aios.cores.base import Exactness
from aios.cores.torch.engine import Engine
from aios.cores.torch.selftest import measured_exactness
from tests.cores.torch.desk import settings, store
from tests.cores.torch.small_models import VOCAB, folder
from tests.devices import DEVICES_AND_DTYPES


@pytest.mark.parametrize(("device", "dtype"), DEVICES_AND_DTYPES)
def test_exact_mode_is_bitwise_and_fast_mode_promises_nothing(
    device: str, dtype: str, tmp_path: Path
) -> None:
    given = settings(folder(), dtype=dtype, device=device)
    exact = Engine(given, store(tmp_path))
    fast = Engine(dataclasses.replace(given, exact=False), store(tmp_path, "two"))

    assert exact.traits.exactness is Exactness.BITWISE
    assert fast.traits.exactness is Exactness.BEST_EFFORT


def test_rules_that_let_company_in_are_found_out(tmp_path: Path) -> None:
    engine = Engine(settings(folder("gpt2")), store(tmp_path))
    forward = engine._batch._forward
    forward.rules = dataclasses.replace(forward.rules, rows=1)

    assert measured_exactness(forward, VOCAB) is not Exactness.BITWISE


def test_the_smallest_pool_is_enough_and_empty_afterwards(tmp_path: Path) -> None:
    engine = Engine(settings(folder(), kv_bytes=18 * 16 * 2048), store(tmp_path))

    assert engine.traits.exactness is Exactness.BITWISE
    assert engine._pool.room == engine._pool.capacity == 18
