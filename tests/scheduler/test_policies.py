"""What holds for every policy, on any machine, whatever happens. The referee sits in the drive."""

import time
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest

from aios.errors import InvalidArgument, NotFound
from aios.scheduler import POLICIES, make
from aios.scheduler.base import Decision, Job, JobId, Left, Machine, Policy, Preempt, Start, Work
from tests.scheduler.drive import Drive
from tests.scheduler.life import Load, State
from tests.scheduler.storms import CALM, FAIR, ROUGH, Weather, storm

SEEDS = range(20)
every_policy = pytest.mark.parametrize(
    "new",
    [
        pytest.param(lambda: make("fifo"), id="fifo"),
        pytest.param(lambda: make("rr", slice_tokens=1), id="rr-1"),
        pytest.param(lambda: make("rr", slice_tokens=16), id="rr-16"),
        pytest.param(lambda: make("rr"), id="rr-64"),
        pytest.param(lambda: make("priority", age_s=0.1), id="priority-0.1"),
        pytest.param(lambda: make("priority"), id="priority-30"),
    ],
)
New = Callable[[], Policy]


@every_policy
@pytest.mark.parametrize("late", [False, True], ids=["prompt", "late"])
@pytest.mark.parametrize("weather", [CALM, FAIR, ROUGH], ids=["calm", "fair", "rough"])
def test_every_job_comes_to_its_end_and_every_decision_is_legal(
    new: New, weather: Weather, late: bool
) -> None:
    for seed in SEEDS:
        drive = storm(new(), seed, weather, late=late)
        ends = {life.left for life in drive.lives.values()}
        assert ends <= {Left.DONE, Left.CANCELLED}
        assert weather is not CALM or ends == {Left.DONE}


@every_policy
def test_the_machine_never_runs_out_of_kv(new: New) -> None:
    for seed in SEEDS:
        for late in (False, True):
            drive = storm(new(), seed, CALM, late=late)
            assert drive.tally.shortages == 0, seed


@every_policy
def test_a_machine_with_less_kv_than_it_says_is_still_served_to_the_end(new: New) -> None:
    shortages = 0
    for seed in SEEDS:
        drive = storm(new(), seed, FAIR, hidden=6)
        shortages += drive.tally.shortages
        # A job that the core took off is not offered again and again into the same full room.
        assert drive.tally.shortages < 20 * len(drive.lives), seed
    assert shortages > 0


@every_policy
def test_nobody_waits_longer_than_the_stated_bound(new: New) -> None:
    bounded = 0
    for seed in SEEDS:
        for weather in (CALM, FAIR):
            drive = storm(new(), seed, weather)
            for wait in drive.tally.waits:
                most = drive.policy.bound(wait.ahead, drive.machine).tokens
                if most is None or (counts_work_once(drive) and not drive.costs.keeps_kv):
                    continue
                bounded += 1
                assert wait.tokens <= most, f"seed {seed}: {wait}"
    assert bounded or new().name == "priority"


def counts_work_once(drive: Drive) -> bool:
    """Its bound does not count what has to be computed twice."""
    return drive.policy.name == "fifo"


@every_policy
def test_the_same_facts_give_the_same_decisions(new: New) -> None:
    for seed in range(10):
        first, second = (storm(new(), seed, ROUGH, late=True) for _ in range(2))
        assert first.trace == second.trace
        assert first.trace


@every_policy
def test_a_lone_job_that_books_more_than_there_is_runs_all_the_same(new: New) -> None:
    machine = Machine(lanes=2, kv_tokens=64, block_tokens=16)
    loads = [Load(id=name, arrives=0.0, prompt_tokens=60, answer_tokens=4) for name in "ab"]
    drive = Drive(new(), machine, loads)
    drive.run()
    starts = [decision.job for _, decision in drive.trace if isinstance(decision, Start)]
    assert set(starts) == {"a", "b"}


@every_policy
def test_after_the_engine_died_everybody_starts_again_at_once(new: New) -> None:
    machine = Machine(lanes=4, kv_tokens=4_096, block_tokens=16)
    loads = [Load(id=f"g{n}", arrives=0.0, prompt_tokens=50, answer_tokens=90) for n in range(4)]
    drive = Drive(new(), machine, loads)
    for _ in range(5):
        drive.step()
    drive.die()
    before = len(drive.trace)
    drive.decide()
    again = [decision.job for _, decision in drive.trace[before:]]
    assert sorted(again) == [load.id for load in loads]


@every_policy
def test_one_that_was_lost_goes_on_before_jobs_that_never_ran(new: New) -> None:
    machine = Machine(lanes=2, kv_tokens=4_096, block_tokens=16)
    loads = [Load(id=f"g{n}", arrives=0.0, prompt_tokens=50, answer_tokens=90) for n in range(6)]
    drive = Drive(new(), machine, loads)
    drive.step()
    lost = [life.job for life in drive.lives.values() if life.state is State.RUNNING]
    drive.die()
    before = len(drive.trace)
    drive.decide()
    assert [decision.job for _, decision in drive.trace[before:]] == lost


@every_policy
def test_reports_about_strangers_are_ignored(new: New) -> None:
    policy = new()
    policy.served(JobId("nobody"), Work(prefilled=1, produced=1, kv_tokens=16))
    policy.lost(JobId("nobody"))
    policy.left(JobId("nobody"), Left.DONE)
    assert policy.decide(0.0, Machine(lanes=1, kv_tokens=64, block_tokens=16)) == []
    assert policy.wakes(0.0) is None


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_the_cost_of_a_report_does_not_grow_with_the_queue(name: str) -> None:
    few = min(seconds_per_report(make(name), 500) for _ in range(3))
    many = seconds_per_report(make(name), 10_000)
    assert many < 4 * few


def seconds_per_report(policy: Policy, jobs: int) -> float:
    """Play `jobs` jobs of three reports each through 64 lanes and 40 jobs' worth of KV."""
    machine = Machine(lanes=64, kv_tokens=8_192, block_tokens=16)
    for number in range(jobs):
        policy.ready(job(f"g{number}", priority=number % 3, prompt_tokens=100))
    todo = {JobId(f"g{number}"): 3 for number in range(jobs)}
    running: dict[JobId, None] = {}
    began = time.process_time()
    reports = 0
    carry_out(policy.decide(0.0, machine), running)
    while running:
        for name in list(running):
            if name not in running:
                continue
            reports += 1
            todo[name] -= 1
            kv_tokens = 112 + 32 * (3 - todo[name])
            policy.served(name, Work(prefilled=0, produced=32, kv_tokens=kv_tokens))
            if not todo[name]:
                del running[name]
                policy.left(name, Left.DONE)
            carry_out(policy.decide(0.0, machine), running)
    assert not any(todo.values())
    return (time.process_time() - began) / reports


def carry_out(decisions: Sequence[Decision], running: dict[JobId, None]) -> None:
    for decision in decisions:
        if isinstance(decision, Start):
            running[decision.job] = None
        elif isinstance(decision, Preempt):
            del running[decision.job]


def job(name: str, *, priority: int = 0, prompt_tokens: int = 20, branches: int = 1) -> Job:
    return Job(
        id=JobId(name),
        pid=1,
        priority=priority,
        arrived=0.0,
        prompt_tokens=prompt_tokens,
        tokens_max=100,
        branches=branches,
    )


def test_policies_are_made_by_name() -> None:
    assert {make(name).name for name in POLICIES} == set(POLICIES) == {"fifo", "rr", "priority"}
    with pytest.raises(NotFound, match="known"):
        make("lottery")
    with pytest.raises(InvalidArgument, match="fifo has no option slice_tokens; expected none"):
        make("fifo", slice_tokens=3)
    with pytest.raises(InvalidArgument, match="no option slice_tokens; expected age_s"):
        make("priority", slice_tokens=3)
    with pytest.raises(InvalidArgument):
        make("rr", slice_tokens=0)
    with pytest.raises(InvalidArgument):
        make("priority", age_s=0.0)


def test_bounds_grow_with_the_jobs_ahead() -> None:
    machine = Machine(lanes=4, kv_tokens=1_024, block_tokens=16)
    for name in ("fifo", "rr"):
        bounds = [make(name).bound(ahead, machine).tokens for ahead in range(4)]
        assert bounds[0] == 0
        assert all(
            low is not None and high is not None and low < high for low, high in pairwise(bounds)
        )
