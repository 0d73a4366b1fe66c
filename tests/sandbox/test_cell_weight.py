"""When a job yields to others: by its owner, by what it got, and never while it is being ended."""

import os
from collections.abc import Iterator, Sequence
from typing import cast

import pytest

from aios.sandbox.launcher.cell import CPU_LOOK_S, Cell, Shape, State, Task
from aios.sandbox.launcher.owners import Owner
from aios.sandbox.launcher.slot import Slot


class FakeGroup:
    """Remembers what it was told last."""

    def __init__(self) -> None:
        self.yields = False
        self.is_long = False
        self.used_s = 0.0

    def bound(self, memory_bytes: int, processes: int) -> None: ...

    def count(self) -> None: ...

    def processors(self, *, is_long: bool) -> Sequence[int]:
        return ()

    def weigh(self, *, yields: bool) -> None:
        self.yields = yields

    def place(self, *, is_long: bool, spare: int) -> None:
        self.is_long = is_long

    def cpu_s(self) -> float:
        return self.used_s


class FakeSlot:
    """A place whose keeper does nothing."""

    def __init__(self, group: FakeGroup) -> None:
        self.group = group
        self.pid = 0

    def kill(self) -> None: ...


class Scene:
    """A cell that waits, its group, and a clock that stands."""

    def __init__(self) -> None:
        self.now = 100.0
        self.group = FakeGroup()
        self.cell = Cell(cast(Slot, FakeSlot(self.group)), Shape(disk_bytes=1), lambda: self.now)

    def begin(self, owner: Owner) -> None:
        self.cell.is_ready(os.open("/", os.O_RDONLY))
        self.cell.give(task(owner))

    def compute(self, cpu_s: float) -> None:
        """So much of what its processors had until it was looked at next."""
        self.now += CPU_LOOK_S
        self.group.used_s += cpu_s
        self.cell.look(self.now)


@pytest.fixture
def scene() -> Iterator[Scene]:
    one = Scene()
    yield one
    one.cell.close()
    for end in one.cell.ends:
        os.close(end)


def task(owner: Owner) -> Task:
    return Task(
        id=1,
        order={},
        stdin=b"",
        wall_s=30.0,
        cpu_s=30.0,
        memory_bytes=1,
        processes=1,
        output_bytes=1,
        owner=owner,
    )


def greedy() -> Owner:
    owner = Owner()
    owner.did(10.0)
    return owner


def test_a_sandbox_that_nobody_asked_for_yields_until_somebody_does(scene: Scene) -> None:
    assert scene.group.yields
    scene.begin(Owner())
    assert not scene.group.yields


def test_the_job_of_a_greedy_owner_yields_from_its_first_moment(scene: Scene) -> None:
    scene.begin(greedy())
    assert (scene.group.yields, scene.group.is_long) == (True, True)


def test_a_job_that_computes_for_long_yields_from_then_on(scene: Scene) -> None:
    scene.begin(Owner())
    scene.compute(CPU_LOOK_S)
    assert not scene.group.yields
    for _ in range(3):
        scene.compute(CPU_LOOK_S)
    assert scene.group.yields


def test_who_yields_and_gets_nothing_yields_to_nobody_until_the_next_look(scene: Scene) -> None:
    scene.begin(greedy())
    scene.compute(0.02 * CPU_LOOK_S)
    assert (scene.group.yields, scene.group.is_long) == (False, True)
    scene.compute(0.5 * CPU_LOOK_S)
    assert scene.group.yields


def test_a_job_that_is_being_ended_yields_to_nobody(scene: Scene) -> None:
    scene.begin(greedy())
    scene.cell.kill("timeout")
    assert (scene.group.yields, scene.cell.state) == (False, State.ENDING)


def test_an_owner_is_known_by_what_its_job_used(scene: Scene) -> None:
    owner = Owner()
    scene.begin(owner)
    scene.group.used_s = 0.09  # Too little to be a burst by itself.
    scene.cell.kill("cancelled")
    assert owner.is_greedy(scene.now + 60)
