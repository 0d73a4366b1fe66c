"""Routing: by name, home first, away from home only where home is clearly busier."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aios.cores.pool import AWAY_FROM_HOME, Pool
from aios.errors import NotFound


def pool_of(loads: dict[str, int]) -> Pool[str]:
    return Pool({"big": ["b0", "b1", "b2"], "small": ["s0"]}, lambda core: loads.get(core, 0))


def test_the_empty_name_is_the_default_model() -> None:
    assert pool_of({}).pick("", pid=0) == "b0"
    assert pool_of({}).pick("small", pid=7) == "s0"


def test_an_unknown_model_is_refused_with_the_known_ones() -> None:
    with pytest.raises(NotFound, match="no model 'huge'; this kernel serves big, small"):
        pool_of({}).pick("huge", pid=1)


@settings(deadline=None)
@given(pid=st.integers(0, 10**6), loads=st.lists(st.integers(0, 50), min_size=3, max_size=3))
def test_a_core_is_never_chosen_that_has_clearly_more_to_do(pid: int, loads: list[int]) -> None:
    by_core = dict(zip(("b0", "b1", "b2"), loads, strict=True))

    chosen = pool_of(by_core).pick("big", pid)

    assert by_core[chosen] <= min(loads) + AWAY_FROM_HOME


@settings(deadline=None)
@given(pid=st.integers(0, 10**6), other=st.integers(0, AWAY_FROM_HOME))
def test_a_process_keeps_its_core_while_loads_differ_little(pid: int, other: int) -> None:
    homes = {pool_of({core: other}).pick("big", pid) for core in ("b0", "b1", "b2")}

    assert len(homes) == 1


def test_processes_spread_evenly() -> None:
    homes = Counter(pool_of({}).pick("big", pid) for pid in range(300))

    assert set(homes.values()) == {100}
