"""The overhead benchmark on few calls: it measures what it says, with the fields it promises."""

import asyncio

import msgspec
import pytest

from aios.bench.overhead import CLIENTS, NULL, NULL_LLM, Load, Overhead, headline, loads
from aios.bench.stats import Interval
from aios.bench.table import quiet
from aios.syscalls import Syscall


@pytest.mark.parametrize("call", [NULL, NULL_LLM])
def test_every_number_of_clients_is_measured(call: Syscall[object]) -> None:
    found = asyncio.run(loads(call, 200, seed=0, tell=quiet))
    assert [load.clients for load in found] == list(CLIENTS)
    for load in found:
        assert 0 < load.p50_us.median <= load.p99_us.median
        assert load.per_s.median > 0


def test_the_headline_is_the_latency_of_one_client_and_the_best_rate_of_all() -> None:
    rows = [_load(1, 2.0, 400.0), _load(10, 30.0, 900.0), _load(100, 300.0, 700.0)]
    found = msgspec.to_builtins(headline(rows))
    assert found == {"p50_us": 2.0, "p99_us": 3.0, "per_s": 900.0}


def test_the_result_has_a_block_for_each_way_in() -> None:
    assert Overhead.__struct_fields__ == ("in_process", "http", "chat")


def _load(clients: int, p50_us: float, per_s: float) -> Load:
    return Load(
        clients=clients,
        p50_us=_exactly(p50_us),
        p99_us=_exactly(p50_us * 1.5),
        per_s=_exactly(per_s),
    )


def _exactly(value: float) -> Interval:
    return Interval(value, value, value)
