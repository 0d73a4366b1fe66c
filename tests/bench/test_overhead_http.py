"""The HTTP overhead benchmark on few calls: it measures what it says, with its fields."""

import msgspec

from aios.bench.overhead_http import CHATTERS, CLIENTS, bars, measure, table
from aios.bench.table import quiet


def test_every_load_is_measured_in_a_server_of_its_own() -> None:
    found = measure(100, seed=0, tell=quiet)
    told = msgspec.to_builtins(found)
    assert told["http"].keys() == {"p50_ms", "p99_ms", "per_s"}
    assert told["chat"].keys() == {"added_p50_ms", "added_p99_ms", "per_s"}
    assert [load.clients for load in found.loads] == [*CLIENTS, max(CLIENTS), CHATTERS]
    for load in found.loads:
        assert 0 < load.p50_ms.median <= load.p99_ms.median
        assert load.per_s.median > 0
    assert found.loads[-1].p50_ms.median > 100, "a slow core's answer takes its time"
    assert len(table(found).rows) == len(found.loads)
    assert len(bars(found)) == 3
