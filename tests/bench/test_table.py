"""The list of benchmarks: every entry can be run, and an unknown name says what is known."""

import inspect

import pytest

from aios.bench.table import BENCHMARKS, benchmark
from aios.errors import NotFound


@pytest.mark.parametrize("name", sorted(BENCHMARKS))
def test_every_listed_benchmark_takes_options_and_a_teller(name: str) -> None:
    parameters = inspect.signature(benchmark(name)).parameters
    assert list(parameters) == ["options", "tell"]


def test_an_unknown_benchmark_is_refused_with_the_known_ones() -> None:
    with pytest.raises(NotFound, match=r"no benchmark 'nix'.*overhead"):
        benchmark("nix")
