"""Packed products: the right numbers, and the same bits in any company of whole eights."""

import pytest
import torch

from aios.cores.torch.packed import linear

ROWS = 96
SHAPES = ((128, 256), (384, 128), (128, 704), (512, 1536), (2048, 2048))


def layer(inputs: int, outputs: int, *, bias: bool = False) -> torch.nn.Linear:
    torch.manual_seed(inputs + outputs)
    return torch.nn.Linear(inputs, outputs, bias=bias)


@pytest.mark.parametrize("bias", [False, True])
def test_layers_side_by_side_are_what_each_of_them_is(bias: bool) -> None:
    parts = [layer(64, 32, bias=bias), layer(64, 96, bias=bias)]
    x = torch.randn(16, 64)

    with torch.inference_mode():
        together = linear(parts)(x)
        apart = torch.cat([part(x) for part in parts], dim=1)

    torch.testing.assert_close(together, apart)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("inputs", "outputs"), SHAPES)
def test_a_row_is_the_same_in_any_number_of_eights(
    inputs: int, outputs: int, dtype: torch.dtype
) -> None:
    product = linear([layer(inputs, outputs).to(dtype)])
    x = torch.randn(ROWS, inputs).to(dtype)

    with torch.inference_mode():
        whole = product(x)
        for rows in range(8, ROWS, 8):
            part = product(x[ROWS - rows :].clone())
            assert torch.equal(part, whole[ROWS - rows :]), rows
