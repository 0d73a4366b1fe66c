"""Every test with a `house` runs once on each tier that the machine offers, and is skipped by name
with the reason where one is missing."""

from collections.abc import Iterator

import pytest

from aios.errors import Denied
from tests.sandbox.house import House

TIERS = ("bubblewrap", "landlock")


@pytest.fixture(scope="module", params=TIERS)
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    """A sandbox of that tier and the loop it lives on."""
    try:
        one = House(request.param)
    except Denied as missing:
        pytest.skip(f"no {request.param} here: {missing}")
    with one:
        yield one
