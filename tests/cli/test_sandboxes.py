"""The doctor tells of every tier, and advises only where something is to be gained."""

from aios.cli.check import Check
from aios.cli.sandboxes import GROUPS, NONE, lines, sandboxes
from aios.sandbox.launched import DEFAULT, Found

BWRAP = Found(name="bubblewrap", works=True, detail="probed", strength=3)
LANDLOCK = Found(name="landlock", works=True, detail="probed", strength=2)
MAC = Found(name="seatbelt", works=False, detail="a Mac's")
NO_BWRAP = Found(name="bubblewrap", works=False, detail="bubblewrap is not installed")
NO_USERNS = Found(name="bubblewrap", works=False, detail="setting up uid map: Permission denied")
NO_LANDLOCK = Found(name="landlock", works=False, detail="this kernel has no Landlock")


def told(*found: Found) -> list[Check]:
    return list(lines(found))


def test_every_tier_has_its_line_on_this_machine() -> None:
    assert [one.what for one in sandboxes()] == [f"sandbox {name}" for name in DEFAULT]


def test_all_is_well_where_the_strongest_works() -> None:
    assert [one.advice for one in told(BWRAP, NO_LANDLOCK, MAC)] == ["", "", ""]


def test_a_weaker_tier_alone_advises_how_to_get_the_stronger() -> None:
    assert "apt install bubblewrap" in told(NO_BWRAP, LANDLOCK, MAC)[0].advice
    assert "AppArmor" in told(NO_USERNS, LANDLOCK, MAC)[0].advice


def test_no_tier_at_all_says_what_follows() -> None:
    assert all(NONE in one.advice for one in told(NO_BWRAP, NO_LANDLOCK, MAC))


def test_bounds_that_are_not_held_are_named() -> None:
    weak = Found(
        name="bubblewrap", works=True, detail="probed", strength=3, unbounded=("memory_bytes",)
    )
    (line,) = told(weak)
    assert "memory_bytes" in line.found
    assert line.advice == GROUPS
