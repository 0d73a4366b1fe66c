"""The switch benchmark: it compares every token and row, and notices a switch that changes one."""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import TypeGuard

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from aios.bench.switch import measure
from aios.bench.switch_cases import KINDS, case
from aios.bench.switch_compare import difference
from aios.bench.switch_driver import Driver, Trace, undisturbed
from aios.bench.switch_worker import Answer, Ask, Driven, Order, Spec, Worker
from aios.bench.table import Options, quiet
from aios.cores.frames import Start
from aios.errors import InvalidArgument
from aios.models import pocket
from aios.syscalls import Choice, Generate, Message

Tamper = Callable[[Order], Order]
Logits = npt.NDArray[np.float32]
CASES = 4


class Local:
    """A worker whose engine lives in this process, and whose orders somebody may tamper with."""

    def __init__(self, spec: Spec) -> None:
        self._engine = Driven(spec)
        self._asked = Ask()
        self.tamper: Tamper = lambda order: order

    def prepare(self, call: Generate) -> tuple[int, ...]:
        return self._engine.prepare(call)

    def send(self, ask: Ask) -> None:
        orders = tuple(map(self.tamper, ask.orders))
        self._asked = msgspec.structs.replace(ask, orders=orders)

    def receive(self) -> Answer:
        return self._engine.answer(self._asked)


def spec(folder: Path, owner: str) -> Spec:
    return Spec(
        model=str(pocket.PATH),
        ram=str(folder / "ram"),
        disk=str(folder / "disk"),
        owner=owner,
        kv_bytes=16 << 20,
    )


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> list[Local]:
    """Two that pass generations to and fro, and one for the uninterrupted runs."""
    folder = tmp_path_factory.mktemp("tiers")
    return [Local(spec(folder, owner)) for owner in ("one", "other", "plain")]


def switched(engines: list[Local], kind: str, tamper: Tamper = lambda order: order) -> Driver:
    """Cases of that kind after their switches between two engines."""
    for engine in engines:
        engine.tamper = tamper
    driver = Driver(engines[:2], Random(7))
    cases = iter([case(kind, number, Random(number)) for number in range(CASES)])
    driver.run(lambda: next(cases, None))
    return driver


def pairs(engines: list[Local], driver: Driver) -> Iterator[tuple[Trace, Trace]]:
    """Every case without its switches, and with them."""
    cases = [one for one, _ in driver.done.values()]
    plain = undisturbed(engines[2:], cases, quiet)
    for one, trace in driver.done.values():
        yield plain[one.id], trace


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_switches_change_no_token_and_no_bit_of_a_logit(kind: str, engines: list[Local]) -> None:
    driver = switched(engines, kind)
    assert driver.switches[kind] > CASES
    assert len(driver.done) == CASES
    for plain, trace in pairs(engines, driver):
        found = difference(plain, trace)
        assert (found.tokens, found.rows_missing, found.logit_max_abs) == (0, 0, 0.0)
        assert found.rows > 0
        assert trace.recomputed == ""


def test_a_snapshot_that_is_thrown_away_is_noticed(engines: list[Local]) -> None:
    spared: set[str] = set()  # Whoever lost its work at every stop would never end.

    def forget(order: Order) -> Order:
        if _resumes(order) and order.generation.id not in spared:
            spared.add(order.generation.id)
            bare = msgspec.structs.replace(order.progress, snapshot=None)
            return msgspec.structs.replace(order, progress=bare)
        return order

    driver = switched(engines, "greedy", forget)
    assert any(trace.recomputed for _, trace in driver.done.values())


def test_a_resumed_generation_with_another_seed_is_noticed(engines: list[Local]) -> None:
    def reseed(order: Order) -> Order:
        if _resumes(order):
            decoding = msgspec.structs.replace(order.generation.decoding, seed=1)
            other = msgspec.structs.replace(order.generation, decoding=decoding)
            return msgspec.structs.replace(order, generation=other)
        return order

    driver = switched(engines, "sampled", reseed)
    changed = [difference(plain, trace).tokens for plain, trace in pairs(engines, driver)]
    assert sum(changed) > 0


def test_one_changed_bit_of_one_logit_is_a_difference() -> None:
    logits = np.linspace(-1, 1, 8, dtype=np.float32)
    other = logits.copy()
    other[3] = np.nextafter(other[3], np.float32(9))
    plain, changed = _trace([5], {(0, 0): logits}), _trace([5], {(0, 0): other})
    assert difference(plain, plain).logit_max_abs == 0
    assert 0 < difference(plain, changed).logit_max_abs < 1e-6


def test_a_token_too_few_and_a_row_too_few_are_counted() -> None:
    row = np.zeros(4, dtype=np.float32)
    plain = _trace([5, 6, 7], {(0, 0): row, (0, 1): row})
    short = _trace([5, 9], {(0, 0): row})
    found = difference(plain, short)
    assert (found.tokens, found.rows, found.rows_missing) == (2, 1, 1)


def test_tokens_that_were_delivered_twice_are_counted() -> None:
    plain, twice = _trace([5, 6], {}), _trace([5, 6], {})
    twice.delivered[0] = [5, 5, 6]
    assert difference(plain, twice).tokens == 2


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_same_seed_makes_the_same_case(kind: str) -> None:
    assert case(kind, 3, Random(1)) == case(kind, 3, Random(1))
    assert case(kind, 3, Random(1)).call != case(kind, 3, Random(2)).call


@pytest.mark.timeout(300)
def test_the_whole_benchmark_between_two_processes_has_its_fields() -> None:
    report = measure(1, 1, Options(), quiet)
    found = msgspec.to_builtins(report.result)
    assert list(found) == [
        "cases",
        "switches",
        "token_mismatches",
        "logit_max_abs_diff",
        "ms_per_1k_tokens_ram_p50",
        "ms_per_1k_tokens_disk_p50",
        "by_kind",
        "device",
    ]
    assert found["switches"] >= 1
    assert found["token_mismatches"] == found["logit_max_abs_diff"] == 0
    kind = next(iter(found["by_kind"].values()))
    assert list(kind) == ["cases", "switches", "token_mismatches", "logit_max_abs_diff"]
    assert all(bar.is_met for bar in report.bars if bar.is_promise)


@pytest.mark.timeout(300)
def test_an_engine_that_cannot_start_is_an_error_of_aios(tmp_path: Path) -> None:
    worker = Worker(msgspec.structs.replace(spec(tmp_path, "w"), model=str(tmp_path)))
    try:
        with pytest.raises(InvalidArgument):
            worker.wait_until_up()
    finally:
        worker.close()


def _resumes(order: Order) -> TypeGuard[Start]:
    return isinstance(order, Start) and order.progress.snapshot is not None


def _trace(tokens: list[int], rows: dict[tuple[int, int], Logits]) -> Trace:
    answer = Choice(
        index=0,
        message=Message("assistant", ""),
        finish_reason="stop",
        token_ids=tuple(tokens),
    )
    return Trace(rows={place: row.tobytes() for place, row in rows.items()}, choices=(answer,))
