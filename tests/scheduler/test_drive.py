"""The drive as a referee: a policy that breaks a rule does not get away with it."""

from collections.abc import Callable, Sequence

import pytest

from aios.context.snapshot import Tier
from aios.scheduler import Fifo
from aios.scheduler.base import Decision, Evict, JobId, Machine, Preempt, Start
from tests.scheduler.drive import Drive
from tests.scheduler.life import Costs, Load

MACHINE = Machine(lanes=2, kv_tokens=256, block_tokens=16)
LOADS = [Load(id=f"g{n}", arrives=0.0, prompt_tokens=100, answer_tokens=20) for n in range(4)]


class Scripted(Fifo):
    """Decides what it is told, in turn, then what is right."""

    def __init__(self, *wrong: Sequence[Decision]) -> None:
        super().__init__()
        self._wrong = list(wrong)

    def decide(self, now: float, machine: Machine) -> Sequence[Decision]:
        return self._wrong.pop(0) if self._wrong else super().decide(now, machine)


def start(*names: str) -> list[Decision]:
    return [Start(JobId(name)) for name in names]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (start("g0", "g1", "g2"), "lanes"),
        (start("g0", "g0"), "start while"),
        ([Preempt(JobId("g0"), Tier.RAM)], "while it is"),
        ([*start("g0"), Evict(JobId("g0"), Tier.RAM)], "while it is"),
    ],
)
def test_an_illegal_decision_is_caught(wrong: list[Decision], said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        Drive(Scripted(wrong), MACHINE, LOADS).run()


def test_a_policy_that_lets_everybody_in_runs_the_machine_out_of_kv() -> None:
    class Greedy(Fifo):
        def decide(self, now: float, machine: Machine) -> Sequence[Decision]:
            endless = Machine(lanes=machine.lanes, kv_tokens=1 << 30, block_tokens=16)
            return super().decide(now, endless)

    large = [Load(id=f"g{n}", arrives=0.0, prompt_tokens=100, answer_tokens=90) for n in range(2)]
    drive = Drive(Greedy(), MACHINE, large)
    drive.run()
    assert drive.tally.shortages > 0


def test_a_policy_that_starts_nobody_is_caught() -> None:
    class Idle(Fifo):
        def decide(self, now: float, machine: Machine) -> Sequence[Decision]:
            return []

    with pytest.raises(AssertionError, match="nobody runs"):
        Drive(Idle(), MACHINE, LOADS).run()


def test_time_is_what_the_costs_say() -> None:
    costs = Costs(step_s=0.1, prefill_per_s=100.0, prefill_chunk=50)
    drive = Drive(Fifo(), MACHINE, LOADS[:1], costs)
    drive.run()
    # Two steps of prefill, the second of which gives the first token, and 19 more.
    assert drive.now == pytest.approx(1.0 + 1.9)
    assert drive.lives["g0"].waited_s == 0.0
    assert drive.tally.served == 120


def hooks() -> list[Callable[[Drive], None]]:
    return [lambda drive: drive.cancel("g0"), lambda drive: drive.die(), lambda drive: None]


@pytest.mark.parametrize("hook", hooks())
def test_a_drive_goes_on_after_mischief(hook: Callable[[Drive], None]) -> None:
    drive = Drive(Fifo(), MACHINE, LOADS)
    for _ in range(5):
        drive.step()
    hook(drive)
    assert all(life.ended is not None for life in drive.run())
