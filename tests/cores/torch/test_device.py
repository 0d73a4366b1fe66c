"""Which device is taken, what it is called, and what happens where its memory runs out."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from aios.cores.torch.attention import Attending
from aios.cores.torch.device import CPU, missing, resolve, told
from aios.cores.torch.engine import Engine
from aios.errors import CoreFailed, InvalidArgument
from aios.kernel import settings_for
from tests.cores.torch.desk import Desk, generation, prompt, settings, store
from tests.cores.torch.small_models import folder

HAS_CUDA = not missing("cuda")
BEYOND = "cuda:99"  # no machine has so many


@pytest.mark.skipif(HAS_CUDA, reason="there is a GPU")
def test_auto_is_the_cpu_where_there_is_no_gpu_and_says_why() -> None:
    assert resolve("auto") == CPU
    assert told() == f"cpu ({missing('cuda')})"


@pytest.mark.gpu
def test_auto_is_the_gpu_where_there_is_one() -> None:
    device = resolve("auto")

    assert device.place == "cuda:0"
    assert torch.cuda.get_device_name(0) in device.name
    assert told() == device.name


def test_a_device_that_is_not_here_is_refused_with_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match=f"'{BEYOND}' cannot: .*'auto' takes a GPU"):
        Engine(settings(folder(), device=BEYOND), store(tmp_path))


@pytest.mark.parametrize("device", ["", "gpu", "mps", "cuda:", "cuda:x", "cuda:1234", "cpu:0"])
def test_what_is_no_device_is_refused_before_torch_is_loaded(device: str) -> None:
    with pytest.raises(InvalidArgument, match="expected device auto, cpu, cuda or cuda:N"):
        settings(folder(), device=device)


def test_an_engine_tells_the_device_it_found(tmp_path: Path) -> None:
    engine = Engine(settings(folder(), device="auto"), store(tmp_path))

    assert engine.traits.device == resolve("auto").name


def test_a_gpu_is_looked_for_unless_the_model_is_pocket_or_somebody_says() -> None:
    found = [
        settings_for("pocket"),
        settings_for("pocket", "cuda"),
        settings_for("some/model"),
        settings_for("some/model", "cpu"),
    ]

    assert [one.device for one in found] == ["cpu", "cuda", "auto", "cpu"]
    assert found[0].called == "pocket"


def test_choosing_a_device_loads_no_torch() -> None:
    source = (
        "import sys; from aios.kernel import settings_for; settings_for('some/model');"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", source], timeout=60).returncode == 0


class Narrow:
    """A network on a device with memory for so many decode rows, and no more."""

    def __init__(self, desk: Desk, rows: int) -> None:
        self._forward = desk.engine._batch._forward
        self._inner = self._forward._network
        self._rows = rows
        self.refused = 0
        self._forward._network = self

    def __call__(self, now: object) -> torch.Tensor:
        groups = now.plan.groups  # type: ignore[attr-defined]
        if groups and groups[-1].end > self._rows:
            self.refused += 1
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return self._inner(now)  # type: ignore[arg-type]

    @property
    def width(self) -> int:
        return self._inner.width

    def states(self, now: Attending) -> torch.Tensor:
        return self._inner.states(now)


def crowd(desk: Desk) -> list[tuple[int, ...]]:
    """Everybody's answers, whoever was sent away starting again."""
    names = [f"g{place}" for place in range(6)]
    for place, name in enumerate(names):
        desk.start(generation(name, prompt(place, 20 + place)))
    for _ in range(2_000):
        desk.step()
        for told_ in desk.told.values():
            if not told_.is_in and told_.ended is None:
                desk.start(told_.generation)
        if all(told_.ended for told_ in desk.told.values()):
            break
    return [desk.answer(name) for name in names]


def test_a_pass_that_finds_no_memory_is_made_smaller_and_changes_no_answer(tmp_path: Path) -> None:
    desk = Desk(settings(folder()), store(tmp_path))
    expected = crowd(desk)
    rows = dict(desk.rows)
    desk.told.clear()
    narrow = Narrow(desk, rows=2)

    assert crowd(desk) == expected
    assert narrow.refused
    assert desk.rows == rows
    assert not desk.strange
    assert desk.is_empty()


def test_one_alone_that_finds_no_memory_fails_and_the_engine_goes_on(tmp_path: Path) -> None:
    desk = Desk(settings(folder()), store(tmp_path))
    narrow = Narrow(desk, rows=1)
    desk.start(generation("wide", prompt(1, 20), temperature=1.0, n=3))
    desk.run()
    ended = desk.told["wide"].ended

    assert (ended.code, narrow.refused) == (CoreFailed.code, 1)  # type: ignore[union-attr]
    assert "no memory on cpu" in ended.message  # type: ignore[union-attr]
    assert desk.is_empty()
    desk.start(generation("next", prompt(1, 20)))
    desk.run()
    assert desk.answer("next")
