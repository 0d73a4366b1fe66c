"""Devices that a test is repeated on. One that is not here is skipped by name (see conftest)."""

from itertools import product

import pytest

CUDA = pytest.param("cuda", marks=pytest.mark.gpu)
DEVICES = ("cpu", CUDA)
DTYPES = ("float32", "bfloat16")
DEVICES_AND_DTYPES = tuple(
    pytest.param(
        (device, dtype), id=f"{device}-{dtype}", marks=[pytest.mark.gpu] * (device != "cpu")
    )
    for device, dtype in product(("cpu", "cuda"), DTYPES)
)
