"""Matrix products with weights that are laid out once for the processor. Knows no model.

oneDNN, which ships with torch, takes 35 to 65 % of the time of torch's own product on a CPU with
AVX-512, from some 8 rows on. torch offers it for frozen graphs only, so its operator is called by
name; where there is none, torch's own product does.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch.nn import functional


class Linear(Protocol):
    """`x` [rows, inputs] times the weights, [rows, outputs]."""

    def __call__(self, x: torch.Tensor) -> torch.Tensor: ...


def linear(parts: Sequence[torch.nn.Linear]) -> Linear:
    """One product for layers that all read the same input; their outputs stand side by side."""
    weights = torch.cat([part.weight.detach() for part in parts])
    given = [part.bias for part in parts if part.bias is not None]
    assert len(given) in (0, len(parts)), "all of them have a bias, or none"
    bias = torch.cat([one.detach() for one in given]) if given else None
    return _Packed(weights, bias) if _can_pack(weights) else _Plain(weights, bias)


class _Plain:
    def __init__(self, weights: torch.Tensor, bias: torch.Tensor | None) -> None:
        self._weights, self._bias = weights, bias

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return functional.linear(x, self._weights, self._bias)


class _Packed:
    def __init__(self, weights: torch.Tensor, bias: torch.Tensor | None) -> None:
        operators: Any = torch.ops.mkldnn
        self._product = operators._linear_pointwise
        self._weights = operators._reorder_linear_weight(weights, None)
        self._bias = bias

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        product: torch.Tensor = self._product(x, self._weights, self._bias, "none", [], "")
        return product


def _can_pack(weights: torch.Tensor) -> bool:
    """Whether this build and this processor have oneDNN's product for weights of that type."""
    has_library: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if weights.device.type != "cpu" or not has_library:
        return False
    if weights.dtype is torch.bfloat16 and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return False
    return weights.dtype in (torch.float32, torch.bfloat16)
