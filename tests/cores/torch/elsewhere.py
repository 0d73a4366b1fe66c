"""A device that is pretended: its tensors lie in RAM, but say `cuda:0` and meet no others.

On a machine without a GPU it finds what only a GPU would notice: an index, a mask or a factor that
was made on the CPU, and NumPy reading memory that it could not reach. What it gives up: kernels,
their bits, and the order in which a device and its host see each other's writes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

DEVICE = torch.device("cuda:0")
HOST = torch.device("cpu")
UNREACHABLE: set[Any] = {torch.Tensor.numpy, torch.Tensor.__array__}
HOME = {torch.Tensor.cpu}
CROSSING = {torch.Tensor.copy_, torch.Tensor.to, torch.Tensor.__getitem__, torch.Tensor.__setitem__}
FACTS: dict[Any, Any] = {  # attributes by their getters
    torch.Tensor.device.__get__: DEVICE,
    torch.Tensor.is_cuda.__get__: True,
    torch.Tensor.is_cpu.__get__: False,
}


class Far(torch.Tensor):
    """A tensor on the pretended device."""

    @classmethod
    def __torch_function__(
        cls,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        return carried_out(func, args, dict(kwargs or {}))


class Elsewhere(TorchFunctionMode):
    """Meanwhile what is made on `DEVICE` is `Far`."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        return carried_out(func, args, dict(kwargs or {}))


def far(tensor: torch.Tensor) -> torch.Tensor:
    """The same content on the pretended device."""
    return tensor.detach().as_subclass(Far)


def move(model: torch.nn.Module) -> None:
    """Weights and buffers to the pretended device."""
    for module in model.modules():
        for name, weights in list(module.named_parameters(recurse=False)):
            moved = torch.nn.Parameter(far(weights), requires_grad=False)
            setattr(module, name, moved)
        for name, values in list(module.named_buffers(recurse=False)):
            module._buffers[name] = far(values)


def carried_out(func: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """What `func` does, as it would be on two devices."""
    given = list(tensors((args, kwargs)))
    is_far = any(isinstance(one, Far) for one in given)
    if is_far and func in FACTS:
        return FACTS[func]
    assert not (is_far and func in UNREACHABLE), f"{name(func)} of what lies on {DEVICE}"
    if is_far and func not in CROSSING:
        # A number may come from the host, a tensor may not.
        strange = [one for one in given if not isinstance(one, Far) and plain(one).dim()]
        assert not strange, f"{name(func)} of tensors on {DEVICE} and on the host"
    wanted = places((args, kwargs))
    with torch._C.DisableTorchFunction():
        found = func(*at_home(args), **at_home(kwargs))
    if func is torch.Tensor.to and wanted:
        is_far = DEVICE.type in wanted
    elif func is torch.Tensor.copy_:
        is_far = isinstance(args[0], Far)
    elif wanted:
        is_far = is_far or DEVICE.type in wanted
    return sent(found) if is_far and func not in HOME else returned(found)


def plain(tensor: torch.Tensor) -> torch.Tensor:
    with torch._C.DisableTorchFunction():
        return tensor.as_subclass(torch.Tensor)


def name(func: Any) -> str:
    return str(getattr(func, "__name__", func))


def tensors(values: Any) -> Iterator[torch.Tensor]:
    if isinstance(values, torch.Tensor):
        yield values
    elif isinstance(values, list | tuple):
        for one in values:
            yield from tensors(one)
    elif isinstance(values, dict):
        yield from tensors(list(values.values()))


def places(values: Any) -> set[str]:
    """Kinds of the devices that are named."""
    if isinstance(values, torch.device):
        return {values.type}
    if isinstance(values, str) and values.partition(":")[0] in {"cpu", "cuda"}:
        return {values.partition(":")[0]}
    if isinstance(values, list | tuple):
        return set().union(*map(places, values))
    return places(list(values.values())) if isinstance(values, dict) else set()


def at_home(values: Any) -> Any:
    """The same arguments with every device the host."""
    if isinstance(values, torch.Tensor):
        return plain(values)
    if places(values) and not isinstance(values, list | tuple | dict):
        return HOST
    if isinstance(values, list | tuple):
        return type(values)(map(at_home, values))
    if isinstance(values, dict):
        return {key: at_home(value) for key, value in values.items()}
    return values


def sent(found: Any) -> Any:
    return mapped(found, lambda one: one.as_subclass(Far))


def returned(found: Any) -> Any:
    return mapped(found, lambda one: one.as_subclass(torch.Tensor))


def mapped(found: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    with torch._C.DisableTorchFunction():
        if isinstance(found, torch.Tensor):
            return found if isinstance(found, torch.nn.Parameter) else change(found)
        if isinstance(found, list):
            return [mapped(one, change) for one in found]
        if isinstance(found, tuple):
            parts = [mapped(one, change) for one in found]
            return type(found)(parts)
        return found
