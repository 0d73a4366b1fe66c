"""Random workloads on random machines, and mischief while they run. All from one seed."""

import random
from dataclasses import dataclass

from aios.scheduler.base import Machine, Policy
from tests.scheduler.drive import Drive
from tests.scheduler.life import Costs, Load, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """Chances of each step that something happens from outside."""

    cancel: float = 0.0
    block: float = 0.0
    lose: float = 0.0
    die: float = 0.0


CALM = Weather()
FAIR = Weather(cancel=0.01, block=0.02)
ROUGH = Weather(cancel=0.01, block=0.02, lose=0.03, die=0.01)


def storm(
    policy: Policy, seed: int, weather: Weather = CALM, *, late: bool = False, hidden: int = 0
) -> Drive:
    """A drive that has come to its end."""
    rng = random.Random(seed)
    block = rng.choice([4, 16])
    machine = Machine(
        lanes=rng.randint(1, 8), kv_tokens=block * rng.randint(16, 48), block_tokens=block
    )
    costs = Costs(
        prefill_chunk=rng.choice([16, 64, 1_000]),
        keeps_kv=rng.random() < 0.7,
        reports_late=late,
        kv_hidden=hidden * block,
    )
    drive = Drive(policy, machine, loads(rng, machine, costs), costs)
    mischief = Mischief(drive, weather, rng)
    while any(life.state is not State.GONE for life in drive.lives.values()):
        assert drive.tally.steps < 50_000, "somebody starves"
        drive.step()
        mischief.happen()
    return drive


def loads(rng: random.Random, machine: Machine, costs: Costs) -> list[Load]:
    """Jobs each of which fits the machine alone, though perhaps not by what would be booked."""
    room = machine.kv_tokens - costs.kv_hidden - machine.block_tokens
    span = rng.choice([0.1, 3.0, 30.0])
    return [load(rng, f"g{number}", room, machine.lanes, span) for number in range(12)]


def load(rng: random.Random, name: str, room: int, lanes: int, span: float) -> Load:
    branches = rng.choice([1, 1, 1, min(2, lanes), min(4, lanes)])
    size = rng.choice([room, room // 2, room // 4, room // 8])
    prompt = rng.randint(1, size - branches)
    return Load(
        id=name,
        arrives=rng.random() * span,
        prompt_tokens=prompt,
        answer_tokens=rng.randint(1, max(1, (size - prompt) // branches)),
        branches=branches,
        priority=rng.randint(-2, 2),
    )


class Mischief:
    """Cancels, pauses, takes away KV and kills engines, at random moments."""

    def __init__(self, drive: Drive, weather: Weather, rng: random.Random) -> None:
        self._drive = drive
        self._weather = weather
        self._rng = rng
        self._blocked: list[str] = []

    def happen(self) -> None:
        drive, weather, draw = self._drive, self._weather, self._rng.random
        here = self._those(State.READY, State.RUNNING, State.RESTING)
        if here and draw() < weather.cancel:
            drive.cancel(self._rng.choice(here))
            here = self._those(State.READY, State.RUNNING, State.RESTING)
        if here and draw() < weather.block:
            name = self._rng.choice(here)
            drive.block(name)
            self._blocked.append(name)
        on = [name for name in drive.lives if drive.is_held(name)]
        if on and draw() < weather.lose:
            drive.lose(self._rng.choice(on))
        if draw() < weather.die:
            drive.die()
        if self._blocked and (draw() < 0.1 or not self._those(State.READY, State.RUNNING)):
            name = self._blocked.pop(0)
            if drive.lives[name].state is State.BLOCKED:
                drive.unblock(name)

    def _those(self, *states: State) -> list[str]:
        return [name for name, life in self._drive.lives.items() if life.state in states]
