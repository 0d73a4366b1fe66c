"""Turns of a slice each."""

import random

import pytest

from aios.scheduler import RoundRobin, make
from aios.scheduler.base import JobId, Left, Machine
from tests.scheduler.drive import Drive
from tests.scheduler.facts import come, decided, job, served
from tests.scheduler.life import Costs, Life, Load

LANES_ONLY = Machine(lanes=2, kv_tokens=100_000, block_tokens=16)


def test_a_spent_slice_makes_room_for_who_waits_and_goes_to_the_back() -> None:
    policy = RoundRobin(slice_tokens=10)
    come(policy, "a", "b", "c", "d")
    assert decided(policy) == ["+a", "+b"]
    served(policy, "a", produced=9, kv=32)
    assert decided(policy) == []
    served(policy, "a", produced=1, kv=32)
    assert decided(policy) == ["-a device", "+c"]
    served(policy, "b", produced=10, kv=32)
    assert decided(policy) == ["-b device", "+d"]
    served(policy, "c", produced=10, kv=32)
    assert decided(policy) == ["-c device", "+a"]


def test_with_nobody_waiting_a_turn_goes_on_until_somebody_comes() -> None:
    policy = RoundRobin(slice_tokens=10)
    come(policy, "a", "b")
    decided(policy)
    served(policy, "a", produced=100, kv=128)
    assert decided(policy) == []
    come(policy, "c")
    assert decided(policy) == ["-a device", "+c"]


def test_one_newcomer_moves_one_job_and_not_everybody() -> None:
    policy = RoundRobin(slice_tokens=10)
    come(policy, "a", "b")
    decided(policy)
    served(policy, "a", produced=20, kv=48)
    served(policy, "b", produced=20, kv=48)
    come(policy, "c")
    assert decided(policy) == ["-a device", "+c"]
    assert decided(policy) == []
    served(policy, "b", produced=9, kv=64)
    assert decided(policy) == []
    served(policy, "b", produced=1, kv=64)
    assert decided(policy) == ["-b device", "+a"]


def test_a_prefilled_token_counts_an_eighth_of_a_produced_one() -> None:
    policy = RoundRobin(slice_tokens=64)
    come(policy, "a", "b", prompt=500)
    come(policy, "c")
    decided(policy, machine=LANES_ONLY)
    served(policy, "a", produced=0, prefilled=256, kv=256)
    served(policy, "a", produced=31, prefilled=0, kv=304)
    assert decided(policy, machine=LANES_ONLY) == []
    served(policy, "a", produced=0, prefilled=8, kv=304)
    assert decided(policy, machine=LANES_ONLY) == ["-a device", "+c"]


def test_what_must_be_computed_again_does_not_count() -> None:
    policy = RoundRobin(slice_tokens=64)
    come(policy, "a", prompt=500)
    decided(policy)
    served(policy, "a", produced=2, prefilled=500, kv=512)
    come(policy, "b", "c", prompt=500)
    assert decided(policy) == ["-a ram", "+b"]
    served(policy, "b", produced=64, prefilled=500, kv=576)
    assert decided(policy) == ["-b ram", "+c"]
    policy.left(JobId("c"), Left.DONE)
    assert decided(policy) == ["+a"]
    served(policy, "a", produced=0, prefilled=256, kv=256)
    served(policy, "a", produced=0, prefilled=256, kv=528)
    assert decided(policy) == []
    served(policy, "a", produced=61, kv=592)
    assert decided(policy) == []
    served(policy, "a", produced=1, kv=592)
    assert decided(policy) == ["-a ram", "+b"]


def test_growth_cuts_the_turn_that_has_lasted_longest() -> None:
    policy = RoundRobin(slice_tokens=64)
    machine = Machine(lanes=4, kv_tokens=1_024, block_tokens=16)
    come(policy, "a", "b", "c", prompt=300)
    assert decided(policy, machine=machine) == ["+a", "+b", "+c"]
    for name in ("a", "b", "c"):
        served(policy, name, produced=20, prefilled=300, kv=336)
    assert decided(policy, machine=machine) == ["-a ram"]


def test_where_kv_is_short_a_job_goes_to_ram() -> None:
    policy = RoundRobin(slice_tokens=16)
    come(policy, "a", "b", prompt=450)
    come(policy, "c", prompt=300)
    assert decided(policy) == ["+a", "+b"]
    served(policy, "a", produced=16, kv=480)
    assert decided(policy) == ["-a ram", "+c"]


def test_who_rested_last_is_evicted_first_as_its_turn_is_farthest_off() -> None:
    policy = RoundRobin(slice_tokens=16)
    machine = Machine(lanes=1, kv_tokens=1_024, block_tokens=16)
    come(policy, "a", "b", prompt=200)
    come(policy, "c", prompt=50)
    come(policy, "large", prompt=700)
    assert decided(policy, machine=machine) == ["+a"]
    served(policy, "a", produced=16, kv=224)
    assert decided(policy, machine=machine) == ["-a device", "+b"]
    served(policy, "b", produced=16, kv=224)
    assert decided(policy, machine=machine) == ["-b device", "+c"]
    served(policy, "c", produced=16, kv=80)
    assert decided(policy, machine=machine) == ["-c ram", "!b ram", "+large"]
    policy.left(JobId("large"), Left.DONE)
    assert decided(policy, machine=machine) == ["+a"]


def test_a_large_job_at_the_head_gets_its_room_from_every_spent_slice() -> None:
    policy = RoundRobin(slice_tokens=16)
    machine = Machine(lanes=4, kv_tokens=1_024, block_tokens=16)
    for name in ("a", "b", "c"):
        policy.ready(job(name, prompt=280))
    policy.ready(job("large", prompt=900))
    assert decided(policy, machine=machine) == ["+a", "+b", "+c"]
    served(policy, "a", produced=16, kv=304)
    assert decided(policy, machine=machine) == ["-a ram"]
    served(policy, "b", produced=16, kv=304)
    assert decided(policy, machine=machine) == ["-b ram"]
    served(policy, "c", produced=16, kv=304)
    assert decided(policy, machine=machine) == ["-c ram", "+large"]


def test_a_turn_interrupted_by_a_loss_is_finished_and_not_begun_anew() -> None:
    policy = RoundRobin(slice_tokens=10)
    come(policy, "a", "b", "c")
    decided(policy)
    served(policy, "b", produced=9, kv=32)
    policy.lost(JobId("b"))
    policy.left(JobId("a"), Left.DONE)
    assert decided(policy) == ["+b", "+c"]
    come(policy, "d")
    served(policy, "b", produced=1, kv=32)
    assert decided(policy) == ["-b device", "+d"]


@pytest.mark.parametrize("seed", range(5))
def test_short_jobs_wait_far_less_than_under_fifo_beside_a_flood_of_long_ones(seed: int) -> None:
    """32 agents, KV for about 8; both the wait for the first token and for the whole answer."""
    fifo, turns = (flooded(name, seed) for name in ("fifo", "rr"))

    for measure in ("waited_s", "took_s"):
        short = [p90(shorts(drive), measure) for drive in (fifo, turns)]
        assert short[1] <= 0.6 * short[0], measure
    assert turns.now <= 1.1 * fifo.now


def test_without_kv_to_come_back_to_turns_cost_at_most_what_each_computes_again() -> None:
    costs = Costs(keeps_kv=False)
    fifo, turns = (flooded(name, 1, costs) for name in ("fifo", "rr"))
    again = turns.tally.served - sum(
        life.load.prompt_tokens + life.load.answer_tokens for life in turns.lives.values()
    )
    assert again > 0
    assert turns.now <= 1.1 * fifo.now + again / costs.prefill_per_s
    assert sum(life.switches for life in turns.lives.values()) < 200


def flooded(name: str, seed: int, costs: Costs | None = None) -> Drive:
    rng = random.Random(seed)
    loads = []
    for number in range(32):
        is_short = number % 2 == 1
        loads.append(
            Load(
                id=f"{'short' if is_short else 'long'}-{number}",
                arrives=rng.random() * 2.0,
                prompt_tokens=rng.randint(50, 150) if is_short else rng.randint(300, 500),
                answer_tokens=rng.randint(10, 40) if is_short else rng.randint(300, 500),
            )
        )
    drive = Drive(make(name), Machine(lanes=16, kv_tokens=6_400, block_tokens=16), loads, costs)
    drive.run()
    return drive


def shorts(drive: Drive) -> list[Life]:
    return [life for life in drive.lives.values() if life.load.id.startswith("short")]


def p90(lives: list[Life], measure: str) -> float:
    values: list[float] = sorted(getattr(life, measure) for life in lives)
    return values[int(0.9 * len(values))]
