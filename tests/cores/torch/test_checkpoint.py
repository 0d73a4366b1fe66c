"""Snapshots: shared blocks once, anybody's engine of the same print, and honest where it is not."""

from typing import Any

import msgspec
import pytest

from aios.context.snapshot import Tier
from aios.syscalls.llm import Beams
from tests.cores.torch.desk import Desk, generation, prompt, settings, store
from tests.cores.torch.small_models import folder
from tests.devices import DEVICES

BLOCK_BYTES = 16 * 2048
NUMBERS = {"type": "array", "items": {"type": "integer"}, "minItems": 20}


@pytest.fixture(scope="module", params=DEVICES)
def engines(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Desk, Desk, Desk]:
    """Two engines of the same print and one of another, over the same tiers."""
    tiers, device = tmp_path_factory.mktemp("tiers"), request.param
    one, two = (
        Desk(settings(folder(), device=device), store(tiers, name)) for name in ("one", "two")
    )
    # What KV a device computes is its own: another one is another print, as another grid is.
    other = {"device": "cpu"} if device != "cpu" else {"chunk_tokens": 128}
    return one, two, Desk(settings(folder(), **other), store(tiers, "three"))


@pytest.fixture
def desks(engines: tuple[Desk, Desk, Desk]) -> tuple[Desk, Desk, Desk]:
    """Engines that others used before, and left empty."""
    for desk in engines:
        assert desk.is_empty()
        desk.told.clear()
        desk.rows.clear()
        desk.forget_prefixes()
    return engines


def halted(desk: Desk, name: str, steps: int, tier: Tier = Tier.RAM, **decoding: Any) -> None:
    """A generation of 100 prompt tokens that was stopped after some steps."""
    desk.start(generation(name, prompt(6, 100), **decoding))
    for _ in range(steps):
        desk.step()
    desk.engine.stop(name, tier, None)
    desk.run()


def moved(name: str, source: Desk, target: Desk) -> None:
    """Let another engine finish it."""
    target.told[name] = source.told[name]
    target.start(source.told[name].generation)
    target.run()


@pytest.mark.parametrize("tier", [Tier.RAM, Tier.DISK])
@pytest.mark.parametrize(
    "decoding",
    [
        {},
        {"temperature": 1.0, "n": 3, "logprobs": 1},
        {"beams": Beams(width=4), "n": 2},
        {"schema": NUMBERS, "temperature": 1.0},
    ],
)
def test_another_engine_goes_on_with_equal_tokens_and_logits(
    decoding: dict[str, Any], tier: Tier, desks: tuple[Desk, Desk, Desk]
) -> None:
    one, two, _ = desks
    halted(one, "whole", 0, **decoding)
    moved("whole", one, one)
    halted(one, "split", 7, tier, **decoding)
    moved("split", one, two)

    whole, split = one.finished("whole"), two.finished("split")
    assert split.recomputed == ""
    assert split.choices == whole.choices
    rows = {key[1:]: seen for key, seen in one.rows.items() if key[0] == "whole"}
    rest = {key[1:]: seen for key, seen in two.rows.items() if key[0] == "split"}
    assert rest
    assert rest.items() <= rows.items()


def test_blocks_that_branches_share_are_stored_once(desks: tuple[Desk, Desk, Desk]) -> None:
    one, *_ = desks
    halted(one, "beams", 5, beams=Beams(width=4))
    ref = one.told["beams"].snapshot
    one.engine.drop("beams", None)
    one.step()

    assert ref is not None
    assert 100 <= ref.tokens <= (100 // 16 + 4) * 16
    assert ref.bytes < (100 // 16 + 5) * BLOCK_BYTES


def test_a_snapshot_in_the_middle_of_the_prompt_goes_on_from_there(
    desks: tuple[Desk, Desk, Desk],
) -> None:
    one, two, _ = desks
    long = generation("long", prompt(7, 600))
    one.start(long)
    one.step()
    one.engine.stop("long", Tier.RAM, None)
    one.run()
    moved("long", one, two)

    assert one.told["long"].prefilled == 600
    assert two.finished("long").recomputed == ""


def test_tokens_delivered_after_the_snapshot_are_not_delivered_again(
    desks: tuple[Desk, Desk, Desk],
) -> None:
    one, two, _ = desks
    halted(one, "g", 5, Tier.DISK, temperature=1.0, logprobs=1)
    one.start(one.told["g"].generation)
    for _ in range(6):
        one.step()
    delivered = len(one.told["g"].produced[0])

    moved("g", one, two)  # As if the first engine had died.

    assert delivered == 11
    assert tuple(two.told["g"].produced[0]) == two.answer("g")
    one.engine.drop("g", None)
    one.step()
    one.start(generation("whole", prompt(6, 100), temperature=1.0, logprobs=1))
    one.run()
    assert one.finished("whole").choices == two.finished("g").choices


def test_tokens_in_the_snapshot_that_were_not_delivered_are_delivered_now(
    desks: tuple[Desk, Desk, Desk],
) -> None:
    one, two, _ = desks
    halted(one, "g", 8, Tier.RAM, temperature=1.0, logprobs=1)
    told = one.told["g"]
    told.produced[0], told.texts[0], told.logprobs[0] = told.produced[0][:2], "", []

    moved("g", one, two)

    assert tuple(told.produced[0]) == two.answer("g")
    assert tuple(told.logprobs[0]) == two.finished("g").choices[0].logprobs[2:]


def test_without_a_snapshot_the_delivered_tokens_lead_to_the_same_logits(
    desks: tuple[Desk, Desk, Desk],
) -> None:
    one, two, _ = desks
    halted(one, "g", 8, Tier.RAM, temperature=1.0, logprobs=1, n=2)
    one.told["g"].snapshot = None
    moved("g", one, two)
    one.start(generation("whole", prompt(6, 100), temperature=1.0, logprobs=1, n=2))
    one.run()

    assert "engine" in two.finished("g").recomputed
    assert two.finished("g").choices == one.finished("whole").choices
    whole = {key[1:]: seen for key, seen in one.rows.items() if key[0] == "whole"}
    again = {key[1:]: seen for key, seen in two.rows.items()}
    assert again == whole


@pytest.mark.parametrize("way", ["out", "back"])
def test_a_snapshot_of_another_print_is_recomputed_and_says_so(
    way: str, desks: tuple[Desk, Desk, Desk]
) -> None:
    one, other = (desks[0], desks[2]) if way == "out" else (desks[2], desks[0])
    halted(one, "foreign", 6, Tier.DISK, temperature=1.0)
    before = list(one.told["foreign"].produced[0])

    moved("foreign", one, other)

    ended = other.finished("foreign")
    assert "fingerprint" in ended.recomputed
    assert list(ended.choices[0].token_ids[: len(before)]) == before
    assert tuple(other.told["foreign"].produced[0]) == ended.choices[0].token_ids


def test_a_snapshot_of_another_generation_is_not_taken_for_this_one(
    desks: tuple[Desk, Desk, Desk],
) -> None:
    one, two, _ = desks
    halted(one, "mine", 4)
    two.told["mine"] = one.told["mine"]
    other = msgspec.structs.replace(one.told["mine"].generation, prompt=prompt(8, 100))
    two.told["mine"].generation = other
    two.told["mine"].produced = []
    two.start(other)
    two.run()

    assert "another generation" in two.finished("mine").recomputed


def test_restoring_shares_the_prefix_that_the_engine_already_has(
    desks: tuple[Desk, Desk, Desk],
) -> None:
    one, *_ = desks
    halted(one, "a", 4)
    halted(one, "b", 4)
    for name in ("a", "b"):
        one.start(one.told[name].generation)
    one.step()
    pool = one.engine._pool
    held = pool.capacity - pool.room
    one.run()

    assert held == 4 + 2 * 3
