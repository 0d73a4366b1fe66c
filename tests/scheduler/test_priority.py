"""Strict priority with ageing."""

import pytest

from aios.scheduler import Priority
from aios.scheduler.base import JobId, Left, Machine, Policy
from tests.scheduler.drive import Drive
from tests.scheduler.facts import come, decided, job, served
from tests.scheduler.life import Load

ONE_LANE = Machine(lanes=1, kv_tokens=1_024, block_tokens=16)


def test_the_highest_goes_first_and_equal_ones_in_order_of_arrival() -> None:
    policy = Priority()
    come(policy, "low", priority=-1)
    come(policy, "a", "b")
    come(policy, "high", priority=5)
    assert decided(policy) == ["+high", "+a"]
    policy.left(JobId("high"), Left.DONE)
    policy.left(JobId("a"), Left.DONE)
    assert decided(policy) == ["+b", "+low"]


def test_a_higher_one_takes_the_place_of_the_lowest_and_latest() -> None:
    policy = Priority()
    come(policy, "a", "b")
    decided(policy)
    come(policy, "high", priority=1)
    assert decided(policy) == ["-b device", "+high"]
    policy.left(JobId("a"), Left.DONE)
    assert decided(policy) == ["+b"]


def test_an_equal_one_takes_a_place_only_after_it_aged_by_a_level() -> None:
    policy = Priority(age_s=10.0)
    come(policy, "a")
    assert decided(policy, machine=ONE_LANE) == ["+a"]
    come(policy, "b", at=1.0)
    assert decided(policy, 1.0, ONE_LANE) == []
    assert policy.wakes(1.0) == pytest.approx(11.0)
    assert decided(policy, 10.9, ONE_LANE) == []
    assert decided(policy, 11.0, ONE_LANE) == ["-a device", "+b"]
    # `a` waits anew, and is up against a level that waiting has raised by one.
    assert policy.wakes(11.0) == pytest.approx(31.0)
    assert decided(policy, 11.1, ONE_LANE) == []


def test_it_wakes_exactly_when_ageing_changes_a_decision() -> None:
    policy = Priority(age_s=0.1)
    come(policy, "a", priority=7)
    decided(policy, 0.0, ONE_LANE)
    come(policy, "b", priority=-3, at=0.3)
    now = 0.3
    assert decided(policy, now, ONE_LANE) == []
    wakes = policy.wakes(now)
    assert wakes is not None
    assert wakes == pytest.approx(0.3 + 11 * 0.1)
    assert decided(policy, wakes, ONE_LANE) == ["-a device", "+b"]


def test_nobody_makes_room_in_vain() -> None:
    policy = Priority()
    machine = Machine(lanes=2, kv_tokens=1_024, block_tokens=16)
    come(policy, "high", priority=9, prompt=500)
    come(policy, "low", prompt=100)
    decided(policy, machine=machine)
    policy.ready(job("large", priority=5, prompt=800))
    assert decided(policy, machine=machine) == []
    policy.left(JobId("high"), Left.DONE)
    assert decided(policy, machine=machine) == ["+large"]


def test_where_kv_is_short_the_resting_go_first_and_the_lower_to_ram() -> None:
    policy = Priority()
    come(policy, "a", "b", prompt=300)
    decided(policy)
    served(policy, "a", produced=0, prefilled=300, kv=304)
    served(policy, "b", produced=0, prefilled=300, kv=304)
    come(policy, "small", priority=1, prompt=50)
    assert decided(policy) == ["-b device", "+small"]
    come(policy, "large", priority=2, prompt=600)
    assert decided(policy) == ["-a ram", "!b ram", "+large"]


def test_one_that_lost_its_kv_neither_gains_nor_loses_a_level_by_it() -> None:
    policy = Priority(age_s=10.0)
    machine = Machine(lanes=2, kv_tokens=160, block_tokens=16)
    come(policy, "a", priority=3)
    come(policy, "b")
    assert decided(policy, 0.0, machine) == ["+a", "+b"]
    served(policy, "a", produced=70, kv=96)
    assert decided(policy, 50.0, machine) == ["-b ram"]
    come(policy, "equal", at=50.0)
    come(policy, "high", priority=2, at=50.0)
    policy.left(JobId("a"), Left.DONE)
    assert decided(policy, 50.0, ONE_LANE) == ["+high"]
    policy.left(JobId("high"), Left.DONE)
    assert decided(policy, 50.0, ONE_LANE) == ["+b"]
    come(policy, "higher", priority=1, at=50.0)
    assert decided(policy, 50.0, ONE_LANE) == ["-b device", "+higher"]


def test_a_flood_of_higher_jobs_delays_a_low_one_only_by_its_levels() -> None:
    """Two new jobs of priority 3 every second, each worth a second of the one lane."""
    age_s = 2.0
    flood = [
        Load(id=f"f{n}", arrives=0.5 * n, prompt_tokens=10, answer_tokens=50, priority=3)
        for n in range(100)
    ]
    low = Load(id="low", arrives=1.0, prompt_tokens=10, answer_tokens=50, priority=0)
    drive = Drive(Priority(age_s=age_s), ONE_LANE, [*flood, low])
    drive.run()
    levels = 3
    # Before it go those who came up to `levels * age_s` later, at a second each.
    assert drive.lives["low"].waited_s <= 2 * (1.0 + levels * age_s) + 2.0
    assert drive.lives["low"].waited_s >= levels * age_s


def test_without_enough_ageing_the_low_one_waits_for_the_whole_flood() -> None:
    flood = [
        Load(id=f"f{n}", arrives=0.5 * n, prompt_tokens=10, answer_tokens=50, priority=3)
        for n in range(100)
    ]
    low = Load(id="low", arrives=1.0, prompt_tokens=10, answer_tokens=50, priority=0)
    drive = Drive(Priority(age_s=1_000.0), ONE_LANE, [*flood, low])
    drive.run()
    assert drive.lives["low"].waited_s > 95.0


def test_even_one_that_never_ends_gives_way_to_one_that_waits() -> None:
    policy: Policy = Priority(age_s=1.0)
    come(policy, "endless", priority=100)
    assert decided(policy, 0.0, ONE_LANE) == ["+endless"]
    come(policy, "low", priority=-100, at=0.0)
    assert policy.wakes(0.0) == pytest.approx(201.0)
    assert decided(policy, 201.0, ONE_LANE) == ["-endless device", "+low"]
