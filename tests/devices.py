"""Devices that a test is repeated on. One that is not here is skipped by name (see conftest)."""

import pytest

DTYPES = ("float32", "bfloat16")
CUDA = pytest.mark.gpu
DEVICES = ("cpu", pytest.param("cuda", marks=CUDA))
DEVICES_AND_DTYPES = (
    *(pytest.param("cpu", dtype) for dtype in DTYPES),
    *(pytest.param("cuda", dtype, marks=CUDA) for dtype in DTYPES),
)
DEVICES_WITH_DTYPES = tuple(  # the same, as one value for a fixture
    pytest.param(one.values, marks=one.marks, id="-".join(map(str, one.values)))
    for one in DEVICES_AND_DTYPES
)
