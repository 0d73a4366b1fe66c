"""The engine on a device that is not the host's memory: nothing is made, or read, where it is not.

The device is pretended, so that this is known on every machine; on a real one the tests marked
`gpu` say the rest.
"""

from pathlib import Path
from typing import Any

import pytest
import torch

from aios.context.snapshot import Tier
from aios.cores.torch.attention import Scratch
from tests.cores.torch.desk import Desk, generation, prompt, settings, store
from tests.cores.torch.elsewhere import DEVICE, Elsewhere, Far, far, move
from tests.cores.torch.small_models import folder
from tests.cores.torch.test_exactness import KINDS

FAMILY = "granite"  # with rope, and not computed by the pass that is written out for CPUs


def send(desk: Desk) -> None:
    """Let the engine's weights and KV lie elsewhere."""
    pool, forward = desk.engine._pool, desk.engine._batch._forward
    move(forward._network.model)  # type: ignore[attr-defined]
    forward._scratch = Scratch()
    for plane in ("kv", "by_block", "by_slot"):
        setattr(pool, plane, far(getattr(pool, plane)))


def answers(desk: Desk) -> list[Any]:
    """What all kinds of generations answer, each of them interrupted in every tier."""
    desk.forget_prefixes()
    for place, kind in enumerate(KINDS):
        one = generation(f"g{place}", prompt(place, 60 + 9 * place), **kind)
        desk.start(one)
        for tier in Tier:
            for _ in range(3):
                desk.step()
            desk.engine.stop(one.id, tier, None)
            desk.step()
            if not desk.told[one.id].ended:
                while desk.told[one.id].is_in:
                    desk.step()
                desk.start(one)
    desk.run()
    return [desk.finished(f"g{place}").choices for place in range(len(KINDS))]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_all_that_is_computed_lies_where_the_model_is(dtype: str, tmp_path: Path) -> None:
    desk = Desk(settings(folder(FAMILY), dtype=dtype), store(tmp_path))
    expected, rows = answers(desk), dict(desk.rows)
    desk.told.clear()
    send(desk)

    with Elsewhere():
        found = answers(desk)

    assert found == expected
    assert desk.rows == rows
    assert not desk.strange
    assert isinstance(desk.engine._batch._forward._scratch._blocks, Far)
    assert desk.is_empty()


def test_what_is_pretended_would_be_noticed() -> None:
    with Elsewhere():
        there, here = torch.zeros(3, device="cuda"), torch.zeros(3)

        assert there.device == (there + 1).device == torch.arange(3, device="cuda").device == DEVICE
        assert here.device.type == there.cpu().device.type == "cpu"
        with pytest.raises(AssertionError, match="on the host"):
            there + here
        with pytest.raises(AssertionError, match="on the host"):
            there.index_select(0, torch.tensor([1]))
        with pytest.raises(AssertionError, match="numpy"):
            there.numpy()
