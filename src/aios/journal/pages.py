"""Verifies the checksums that `cksumvfs` puts at the end of SQLite's pages. Pure."""

from typing import cast

import numpy as np
from numpy.typing import NDArray

from aios.journal.connection import CHECKSUM_BYTES, PAGE_BYTES
from aios.journal.sums import Words, weights

_SUMMED_WORDS = (PAGE_BYTES - CHECKSUM_BYTES) // 4
_WEIGHTS = weights(_SUMMED_WORDS)


def are_whole(data: bytes) -> NDArray[np.bool_]:
    """For each page of `data`, which has whole pages from the first on: does it fit its sum."""
    words = np.frombuffer(data, "<u4", len(data) // PAGE_BYTES * PAGE_BYTES // 4)
    pages = words.reshape(-1, PAGE_BYTES // 4)
    sums: Words = pages[:, :_SUMMED_WORDS] @ _WEIGHTS
    return cast(NDArray[np.bool_], (sums == pages[:, _SUMMED_WORDS:]).all(axis=1))
