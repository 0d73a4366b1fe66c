"""Benchmarks for the tests of `aios bench`."""

import msgspec

from aios.bench.table import Bar, Options, Report, Table, Tell
from aios.errors import CoreFailed


class Found(msgspec.Struct, frozen=True):
    seed: int
    is_quick: bool


def small(options: Options, tell: Tell) -> Report:
    """Succeeds at once; the bar of speed is missed."""
    tell("half")
    return _report(options, is_promise=False)


def broken_promise(options: Options, tell: Tell) -> Report:
    """Finds that a promise does not hold."""
    return _report(options, is_promise=True)


def failing(options: Options, tell: Tell) -> Report:
    """Cannot be run here."""
    raise CoreFailed("no core today")


def _report(options: Options, *, is_promise: bool) -> Report:
    bar = Bar(what="speed", bar=">= 2", measured="1", is_met=False, is_promise=is_promise)
    table = Table(title="Small", columns=("what", "figure"), rows=(("seed", str(options.seed)),))
    result = Found(options.seed, options.is_quick)
    return Report(result=result, tables=(table,), bars=(bar,), more={"extra": 1})
