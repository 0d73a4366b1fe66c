"""The promise: whatever company, whatever interruption, the same tokens from the same logits.

Each trial puts random generations on engines whose pools are too small for all of them, stops and
resumes them at random in all tiers and on both engines, damages snapshots, and compares every row
of logits that a token was chosen from, bit for bit, with the generation's own undisturbed run.
"""

import random
from pathlib import Path
from typing import Any

import pytest

from aios.context.snapshot import SnapshotRef, Tier
from aios.cores.base import Exactness, Finished, Generation
from aios.syscalls.llm import Beams
from tests.cores.torch.desk import Desk, Told, generation, prompt, settings, store
from tests.cores.torch.small_models import folder
from tests.devices import DEVICES_WITH_DTYPES

TRIALS = 10
SCHEMA = {
    "type": "object",
    "properties": {"city": {"enum": ["Paris", "Rome"]}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
KINDS: tuple[dict[str, Any], ...] = (
    {},
    {"logprobs": 2},
    {"temperature": 1.0, "seed": 11},
    {"temperature": 0.8, "top_p": 0.9, "top_k": 40, "n": 3, "logprobs": 0},
    {"temperature": 1.0, "frequency_penalty": 0.5, "repetition_penalty": 1.2},
    {"beams": Beams(width=4), "n": 2},
    {"beams": Beams(width=3, early_stopping=True)},
    {"temperature": 1.0, "stop": ("e", "ab")},
    {"temperature": 1.0, "schema": SCHEMA, "n": 2},
    {"beams": Beams(width=3), "schema": SCHEMA},
)
Rows = dict[tuple[int, int], str]


class Alone:
    """Undisturbed runs with a pool of their own."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def run(self, one: Generation) -> tuple[Finished, Rows]:
        self._desk.told.clear()
        self._desk.rows.clear()
        self._desk.forget_prefixes()
        self._desk.start(one)
        self._desk.run()
        return self._desk.finished(one.id), {k[1:]: seen for k, seen in self._desk.rows.items()}


class Storm:
    """Two engines and a kernel without mercy over one crowd of generations."""

    def __init__(self, desks: tuple[Desk, Desk], rng: random.Random) -> None:
        self._desks = desks
        self._rng = rng
        self.told: dict[str, Told] = {}
        self._at: dict[str, Desk] = {}
        for desk in desks:
            desk.told = self.told
            desk.rows.clear()

    def run(self, crowd: list[Generation]) -> None:
        waiting = list(crowd)
        for _ in range(20_000):
            if waiting and self._rng.random() < 0.3:
                one = waiting.pop()
                self._at[one.id] = self._rng.choice(self._desks)
                self._at[one.id].start(one)
            self._disturb()
            for desk in self._desks:
                desk.step()
            if not waiting and all(told.ended for told in self.told.values()):
                return
        raise AssertionError("the storm does not end")

    def _disturb(self) -> None:
        alive = [told for told in self.told.values() if told.ended is None]
        if not alive:
            return
        told = self._rng.choice(alive)
        name, desk = told.generation.id, self._at[told.generation.id]
        if told.is_in:
            if self._rng.random() < 0.25:
                desk.engine.stop(name, self._rng.choice(list(Tier)), None)
            return
        rests_in_device = told.suspended[-1].snapshot.tier is Tier.DEVICE
        if not rests_in_device and self._rng.random() < 0.5:
            desk = self._rng.choice(self._desks)
        if told.snapshot is not None and not rests_in_device and self._rng.random() < 0.1:
            damage(told.snapshot, self._rng)
        self._at[name] = desk
        desk.start(told.generation)


def damage(ref: SnapshotRef, rng: random.Random) -> None:
    """Flip a byte, as a bad disk would."""
    path = Path(ref.path)
    content = bytearray(path.read_bytes())
    content[rng.randrange(min(len(content), ref.bytes))] ^= 0x10
    with path.open("r+b") as file:
        file.write(content)


def crowd(rng: random.Random) -> list[Generation]:
    """Some generations; a few share the beginning of their prompts."""
    return [
        generation(
            f"g{place}",
            (prompt(99, 128) if rng.random() < 0.4 else ())
            + prompt(rng.randrange(50), rng.randint(1, 150)),
            **(rng.choice(KINDS) | {"max_tokens": rng.randint(1, 40)}),
        )
        for place in range(rng.randint(2, 7))
    ]


def tokens(ended: Finished) -> list[tuple[int, ...]]:
    """All that a core without bitwise logits promises."""
    return [choice.token_ids for choice in ended.choices]


@pytest.fixture(scope="module", params=DEVICES_WITH_DTYPES)
def desks(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Desk, Desk, Desk]:
    tiers = tmp_path_factory.mktemp("tiers")
    device, dtype = request.param
    one, two, alone = (
        Desk(
            settings(
                folder(),
                device=device,
                dtype=dtype,
                kv_bytes=size,
                prefill_tokens_per_step=prefill,
            ),
            store(tiers, name),
        )
        for name, size, prefill in (
            ("one", 1 << 20, 64),
            ("two", 2 << 20, 256),
            ("alone", 8 << 20, 512),
        )
    )
    return one, two, alone


@pytest.mark.parametrize("seed", range(TRIALS))
def test_a_generation_in_the_storm_equals_its_undisturbed_run(
    seed: int, desks: tuple[Desk, Desk, Desk]
) -> None:
    one, two, alone = desks
    rng = random.Random(seed)
    everybody = crowd(rng)
    exactness = {desk.engine.traits.exactness for desk in desks}
    # On a CPU nothing less will do; what another device declared is what it is held to.
    assert exactness == {Exactness.BITWISE} or (
        one.engine.traits.device != "cpu" and Exactness.BEST_EFFORT not in exactness
    )

    storm = Storm((one, two), rng)
    storm.run(everybody)

    assert one.is_empty()
    assert two.is_empty()
    assert exactness != {Exactness.BITWISE} or not (one.strange or two.strange)
    for generation_ in everybody:
        told = storm.told[generation_.id]
        expected, expected_rows = Alone(alone).run(generation_)
        assert isinstance(told.ended, Finished), told.ended
        if exactness != {Exactness.BITWISE}:
            assert tokens(told.ended) == tokens(expected)
            continue
        assert told.ended.choices == expected.choices
        for desk in (one, two):
            for (name, branch, position), seen in desk.rows.items():
                if name == generation_.id:
                    assert expected_rows[branch, position] == seen, (name, branch, position)
