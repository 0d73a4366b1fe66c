"""The suite is whole: every class has a program, every program says what it is."""

import pytest

from aios.bench.hostile.cases import SETTINGS, Case, case, cases
from aios.errors import NotFound

CLASSES = range(1, 51)


def test_every_attack_class_has_a_program() -> None:
    assert len(cases()) >= 56
    assert set(CLASSES) - {number for one in cases() for number in one.classes} == set()


@pytest.mark.parametrize("one", cases(), ids=lambda one: one.name)
def test_every_program_says_what_a_breach_would_be(one: Case) -> None:
    assert "A breach: " in one.source
    if not one.is_shell:
        compile(one.source, one.name, "exec")


def test_every_setting_is_of_a_program_that_is_there() -> None:
    assert set(SETTINGS) <= {one.name for one in cases()}


def test_an_unknown_program_is_refused_with_the_known_ones() -> None:
    with pytest.raises(NotFound, match=r"no hostile program 'nix'.*fork_bomb"):
        case("nix")


def test_a_program_is_run_warm_as_source_and_cold_by_its_words() -> None:
    warm, cold = (case("tcp_out").job({"AIM_TCP": "1"}, None, cold=cold) for cold in (False, True))
    assert (warm.python, warm.argv) == (case("tcp_out").source, ())
    assert (cold.python, cold.argv[:2]) == (None, ("python3", "-c"))
    assert warm.environment["AIM_TCP"] == "1"
