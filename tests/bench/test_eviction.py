"""The benchmark of eviction: its optimum is one, and its streams are what the traces say."""

import gzip
import json
from itertools import product
from pathlib import Path
from random import Random

import pytest

from aios.bench import belady, eviction
from aios.bench.accesses import recorded, synthetic
from aios.bench.table import Options, quiet


def best_by_trying(uses: list[int], capacity: int) -> int:
    """Hits of the best way there is, by trying all of them."""
    ways = {frozenset[int](): 0}
    for key in uses:
        after: dict[frozenset[int], int] = {}
        for resident, hits in ways.items():
            if key in resident:
                choices = [resident]
            elif len(resident) < capacity:
                choices = [resident | {key}]
            else:
                choices = [resident - {gone} | {key} for gone in resident]
            for choice in choices:
                after[choice] = max(after.get(choice, 0), hits + (key in resident))
        ways = after
    return max(ways.values())


@pytest.mark.parametrize(("seed", "capacity"), list(product(range(20), (1, 2, 3))))
def test_nothing_is_better_than_the_optimum(seed: int, capacity: int) -> None:
    uses = [Random(seed * 100 + n).randrange(6) for n in range(40)]
    assert belady.hits(uses, capacity) == best_by_trying(uses, capacity)


def write(path: Path, *records: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)


def test_streams_are_read_from_the_trace_folders(tmp_path: Path) -> None:
    traces = tmp_path / "traces"
    write(traces / "mooncake/half.jsonl.gz", {"hash_ids": [1, 2]}, {"hash_ids": [1, 3]})
    turns = [
        {"i": 0, "t": 0.0, "p": 2_500, "par": -1, "sh": 0},
        {"sub": [{"i": 1, "t": 1.0, "p": 1_000, "par": -1, "sh": 0}], "t": 5.0},
        {"i": 2, "t": 9.0, "p": 3_000, "par": 0, "sh": 2_048},
    ]
    write(traces / "claude_code_programs.jsonl.gz", {"turns": turns})
    mint = {"source": "mint/x", "turns": [{"prompt_tokens": 65}, {"prompt_tokens": 129}]}
    write(traces / "agent_programs.jsonl.gz", mint, mint)
    read = list(recorded(tmp_path, 0, 1_000))
    streams = {one.name: list(one.uses) for one in read}
    assert streams["half"] == [1, 2, 1, 3]
    assert streams["claude-code"] == [0, 1, 2, 3, 0, 1, 4]
    assert streams["mint, in turn"] == [0, 1, 2, 3, 0, 1, 4, 2, 3, 5]
    ends = {
        one.name: {after: list(left) for after, left in one.ends.items()}
        for one in read
        if one.ends
    }
    assert ends["claude-code"] == {7: [0, 1, 2, 3, 4]}
    assert ends["mint, in turn"] == {7: [0, 1, 4], 10: [2, 3, 5]}


def test_made_up_streams_are_the_same_for_the_same_seed() -> None:
    assert list(synthetic(3, 500)) == list(synthetic(3, 500))
    assert list(synthetic(3, 500)) != list(synthetic(4, 500))


def test_the_report_has_the_documented_fields(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uses = [Random(n).randrange(50) for n in range(2_000)]
    write(tmp_path / "traces/mooncake/small.jsonl.gz", {"hash_ids": uses})
    monkeypatch.setenv(eviction.DATA, str(tmp_path))
    report = eviction.run(Options(seed=1), quiet)
    assert isinstance(report.result, eviction.Evicted)
    assert {row.name for row in report.result.streams} == {"small"}
    for row in report.result.streams:
        assert 0 <= max(row.lru, row.lru2, row.adaptive, row.told) <= row.opt <= 1
    assert str(tmp_path) in report.tables[0].title
