"""Tests marked `gpu` run where there is a GPU, and elsewhere are skipped with what is missing."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    wanting = [item for item in items if item.get_closest_marker("gpu")]
    if not wanting:
        return
    # Imported late: a run without such tests needs no torch.
    from aios.cores.torch.device import missing

    reason = missing("cuda")
    for item in wanting if reason else ():
        item.add_marker(pytest.mark.skip(reason=f"needs the device cuda: {reason}"))
