"""Simulated worlds: the kernel keeps its invariants, and what breaks them is caught."""

from collections.abc import Sequence

import pytest

from aios.scheduler import RoundRobin
from aios.scheduler.base import Decision, Machine, Preempt, Start
from aios.testing.loop import Deadlock
from aios.testing.world import Broken, World

FOUND = (7, 11, 16, 35, 99)  # Seeds that failed once; each stays.


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_the_kernel_keeps_its_invariants(first: int) -> None:
    for seed in range(first, first + 50):
        World(seed).run()


def test_seeds_that_failed_once_pass() -> None:
    for seed in FOUND:
        World(seed).run()


def test_the_same_seed_gives_the_same_trace() -> None:
    assert World(11).run().trace == World(11).run().trace


class Broke:
    """A policy spoilt on purpose; everything it does not spoil is the real one's."""

    def __init__(self) -> None:
        self._real = RoundRobin(slice_tokens=8)
        self.name = "broken"

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


class Crowding(Broke):
    """Believes that the machine has twice its lanes."""

    def decide(self, now: float, machine: Machine) -> Sequence[Decision]:
        wide = Machine(
            lanes=2 * machine.lanes, kv_tokens=1 << 30, block_tokens=machine.block_tokens
        )
        return self._real.decide(now, wide)


class Forgetful(Broke):
    """Never carries out the resume of a job that it preempted."""

    def __init__(self) -> None:
        super().__init__()
        self._preempted: set[str] = set()

    def decide(self, now: float, machine: Machine) -> Sequence[Decision]:
        decisions = self._real.decide(now, machine)
        kept = [
            one for one in decisions if not (isinstance(one, Start) and one.job in self._preempted)
        ]
        self._preempted |= {one.job for one in decisions if isinstance(one, Preempt)}
        return kept


@pytest.mark.parametrize("spoilt", [Crowding, Forgetful])
def test_a_broken_policy_is_caught(spoilt: type[Broke]) -> None:
    def live() -> None:
        for seed in range(40):
            World(seed, make_policy=spoilt).run()  # type: ignore[arg-type]

    with pytest.raises((Broken, Deadlock, AssertionError, ExceptionGroup)):
        live()
