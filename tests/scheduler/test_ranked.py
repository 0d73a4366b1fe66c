"""Jobs in order of a key."""

from hypothesis import given, settings
from hypothesis import strategies as st

from aios.scheduler.base import JobId
from aios.scheduler.ranked import Ranked


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["add", "discard", "pop"]), st.integers(0, 30))))
def test_it_is_always_in_order_whatever_comes_and_goes(steps: list[tuple[str, int]]) -> None:
    ranked: Ranked[int] = Ranked()
    model: dict[JobId, int] = {}
    for step, (what, number) in enumerate(steps):
        name = JobId(f"g{number % 7}")
        if what == "add" and name not in model:
            key = number * 1_000 + step
            ranked.add(name, key)
            model[name] = key
        elif what == "discard":
            ranked.discard(name)
            model.pop(name, None)
        elif what == "pop":
            expected = min(model, key=model.__getitem__, default=None)
            assert ranked.pop() == expected
            if expected is not None:
                del model[expected]
        assert ranked.first() == min(model, key=model.__getitem__, default=None)
        assert sorted(ranked) == sorted(model)
        assert all(ranked.key(one) == key for one, key in model.items())


def test_a_job_that_left_and_came_back_has_only_its_new_key() -> None:
    ranked: Ranked[int] = Ranked()
    ranked.add(JobId("a"), 1)
    ranked.add(JobId("b"), 2)
    ranked.discard(JobId("a"))
    ranked.add(JobId("a"), 3)
    assert [ranked.pop(), ranked.pop(), ranked.pop()] == ["b", "a", None]


def test_leftovers_do_not_pile_up() -> None:
    ranked: Ranked[int] = Ranked()
    for number in range(10_000):
        ranked.add(JobId("a"), number)
        ranked.discard(JobId("a"))
    assert len(ranked) == 0
    assert len(ranked._heap) < 100
