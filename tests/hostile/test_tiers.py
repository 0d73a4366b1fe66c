"""Every hostile program, on every tier that this machine offers: none gets anything."""

import sys

import pytest

from aios.bench.hostile.cases import Case, case, cases
from tests.hostile.house import tiers_here, tried_on

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="tiers of Linux are tried")
TIERS = ("bubblewrap", "landlock")
COLD = ("reads_keys", "daemon", "forged_result", "inherited_descriptors", "dangerous_calls",
        "fork_bomb", "namespaces", "privileges")  # fmt: skip


@pytest.fixture(scope="module")
def here() -> list[str]:
    return tiers_here()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("tier", TIERS)
def test_no_hostile_program_breaches_a_tier(tier: str, here: list[str]) -> None:
    assert _breaches(tier, here, cases()) == {}


@pytest.mark.parametrize("tier", TIERS)
def test_a_program_of_its_own_words_is_held_as_well(tier: str, here: list[str]) -> None:
    assert _breaches(tier, here, [case(name) for name in COLD], cold=True) == {}


def _breaches(
    tier: str, here: list[str], chosen: "list[Case] | tuple[Case, ...]", *, cold: bool = False
) -> dict[str, tuple[str, ...]]:
    if tier not in here:
        pytest.skip(f"{tier} does not hold on this machine")
    verdicts = tried_on(tier, chosen, cold=cold)
    assert sum(one.survivors for one in verdicts) == 0
    return {one.program: one.breaches for one in verdicts if one.breaches}
