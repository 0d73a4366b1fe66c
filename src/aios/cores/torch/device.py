"""Which processor a model is computed on, what it is called, and how it is kept to the same bits.

Asked in the engine's process only: whoever holds settings loads no torch. Knows no model.
"""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from aios.cores.torch.settings import AUTO
from aios.errors import InvalidArgument

# One workspace of a fixed size: with it cuBLAS promises equal bits, run after run.
WORKSPACE = ("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
# Kernels that take our bias and never divide one row's keys by how many rows there are.
WHOLE_ROWS = [SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """`place` is what torch calls it, `name` what people do."""

    place: str
    name: str

    @property
    def is_cpu(self) -> bool:
        return self.place == "cpu"


CPU = Device(place="cpu", name="cpu")


def resolve(wanted: str) -> Device:
    """`auto` is CUDA where it can be used, else the CPU. `InvalidArgument` for what is not here."""
    if wanted == "cpu":
        return CPU
    place = "cuda" if wanted == AUTO else wanted
    reason = missing(place)
    if not reason:
        index = torch.device(place).index or 0
        return Device(
            place=f"cuda:{index}", name=f"cuda:{index} ({torch.cuda.get_device_name(index)})"
        )
    if wanted == AUTO:
        return CPU
    raise InvalidArgument(
        f"expected a device that can be used here, {wanted!r} cannot: {reason}; "
        f"{AUTO!r} takes a GPU where there is one, else the cpu"
    )


def missing(place: str) -> str:
    """Why that CUDA device cannot be used; empty where it can."""
    if not torch.backends.cuda.is_built():  # type: ignore[no-untyped-call]
        return "this build of torch has no CUDA"
    os.environ.setdefault(*WORKSPACE)  # It is read once, when a device is first used.
    if not torch.cuda.is_available():
        return "torch finds no CUDA device with a driver that it can use"
    count, index = torch.cuda.device_count(), torch.device(place).index or 0
    if index >= count:
        return f"there are {count} CUDA devices, counted from 0"
    try:  # One that is there may still be too old for this build, or given to somebody else.
        torch.ones(8, device=place).sum().item()
    except RuntimeError as problem:
        return str(problem).strip().split("\n", 1)[0][:200]
    return ""


def use(device: Device, threads: int) -> None:
    """Make this process compute as the settings say; float32 means float32 on every device."""
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision("highest")
    if not device.is_cpu:
        torch.cuda.set_device(device.place)


def kernels(device: torch.device) -> Callable[[], AbstractContextManager[None]]:
    """The context that every pass runs in."""
    if device.type == "cpu":
        return nullcontext
    return lambda: sdpa_kernel(WHOLE_ROWS)


def processor(device: Device) -> str:
    """All of the processor that bits may depend on."""
    if device.is_cpu:
        return f"{os.uname().machine} {torch.backends.cpu.get_cpu_capability()}"
    told = torch.cuda.get_device_properties(device.place)
    # cuBLAS divides its work by the number of multiprocessors, which a part of a GPU has fewer of.
    return (
        f"{told.name} {told.major}.{told.minor} {told.multi_processor_count} "
        f"{torch.version.cuda} {torch.version.hip} {os.environ.get(WORKSPACE[0])}"
    )


def told() -> str:
    """What `auto` means here, and why it is no GPU where it is none."""
    device = resolve(AUTO)
    return f"cpu ({missing('cuda')})" if device.is_cpu else device.name
