"""Whose jobs yield: what an owner is known by, and how that is forgiven."""

from aios.sandbox.launcher.owners import BURST_S, FORGIVEN, SPENT_S_MAX, TYPICAL_S, Owner, Owners


def test_who_is_not_known_yet_is_no_greedy_one() -> None:
    assert not Owners(each_max=2).of("new", now=5.0).is_greedy(5.0)


def test_computing_for_long_at_a_stretch_is_forgiven_with_time() -> None:
    owner = Owner()
    owner.spend(2 * BURST_S, now=1.0)
    assert owner.is_greedy(1.0)
    assert owner.is_greedy(1.0 + 0.9 * BURST_S / FORGIVEN)
    assert not owner.is_greedy(1.0 + 1.1 * BURST_S / FORGIVEN)


def test_whatever_it_has_spent_all_is_forgiven_after_ten_seconds() -> None:
    owner = Owner()
    owner.spend(1_000.0, now=0.0)
    assert not owner.is_greedy(SPENT_S_MAX / FORGIVEN)


def test_bursts_too_seldom_to_add_up_are_known_by_what_a_job_takes() -> None:
    owner = Owner()
    for second in range(0, 100, 10):
        owner.spend(0.06, now=float(second))
        owner.did(0.06)
    assert owner.is_greedy(109.0)


def test_short_jobs_make_a_long_one_forgotten() -> None:
    owner = Owner()
    owner.did(16 * TYPICAL_S)
    for _ in range(3):
        owner.did(0.0)
        assert owner.is_greedy(0.0)
    owner.did(0.0)
    assert not owner.is_greedy(0.0)


def test_short_calls_are_never_greedy_however_many_there_were() -> None:
    owner = Owner()
    for number in range(1_000):
        owner.spend(0.012, now=number * 0.05)
        owner.did(0.012)
        assert not owner.is_greedy(number * 0.05)
