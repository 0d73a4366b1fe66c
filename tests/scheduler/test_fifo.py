"""First in, first out."""

from aios.scheduler import Fifo
from aios.scheduler.base import JobId, Left, Machine
from tests.scheduler.facts import come, decided, job, served


def test_jobs_start_in_order_of_arrival_as_lanes_come_free() -> None:
    policy = Fifo()
    come(policy, "a", "b", "c", "d")
    assert decided(policy) == ["+a", "+b"]
    policy.left(JobId("b"), Left.DONE)
    assert decided(policy) == ["+c"]
    policy.left(JobId("a"), Left.FAILED)
    assert decided(policy) == ["+d"]


def test_a_small_job_is_not_let_past_a_large_one() -> None:
    policy = Fifo()
    policy.ready(job("small", prompt=100))
    policy.ready(job("large", prompt=950))
    policy.ready(job("tiny", prompt=10))
    assert decided(policy) == ["+small"]
    policy.left(JobId("small"), Left.DONE)
    assert decided(policy) == ["+large"]


def test_a_job_takes_a_lane_for_each_branch() -> None:
    policy = Fifo()
    policy.ready(job("a", branches=1))
    policy.ready(job("b", branches=2))
    assert decided(policy) == ["+a"]
    policy.left(JobId("a"), Left.CANCELLED)
    assert decided(policy) == ["+b"]


def test_when_kv_runs_short_the_latest_goes_to_ram_and_is_first_again() -> None:
    policy = Fifo()
    machine = Machine(lanes=4, kv_tokens=160, block_tokens=16)
    come(policy, "a", "b", "c")
    assert decided(policy, machine=machine) == ["+a", "+b"]
    served(policy, "a", produced=50, kv=96)
    assert decided(policy, machine=machine) == ["-b ram"]
    policy.left(JobId("a"), Left.DONE)
    assert decided(policy, machine=machine) == ["+b", "+c"]


def test_one_that_the_core_took_off_waits_until_more_is_free() -> None:
    policy = Fifo()
    machine = Machine(lanes=4, kv_tokens=1_024, block_tokens=16)
    come(policy, "a", "b", "c")
    decided(policy, machine=machine)
    policy.lost(JobId("c"))
    assert decided(policy, machine=machine) == []
    policy.left(JobId("a"), Left.DONE)
    assert decided(policy, machine=machine) == ["+c"]


def test_a_cancelled_job_is_never_started() -> None:
    policy = Fifo()
    come(policy, "a", "b", "c", "d")
    decided(policy)
    policy.left(JobId("c"), Left.CANCELLED)
    policy.left(JobId("a"), Left.DONE)
    assert decided(policy) == ["+d"]


def test_a_blocked_job_comes_back_like_a_new_one() -> None:
    policy = Fifo()
    come(policy, "a", "b", "c")
    decided(policy)
    policy.left(JobId("a"), Left.BLOCKED)
    assert decided(policy) == ["+c"]
    come(policy, "d", "a")
    policy.left(JobId("b"), Left.DONE)
    policy.left(JobId("c"), Left.DONE)
    assert decided(policy) == ["+d", "+a"]
