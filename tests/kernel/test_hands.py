"""What a machine offers agents: a tier that is asked for by name is that one, or nothing."""

import asyncio

import pytest

from aios.errors import Denied
from aios.kernel.hands import open_hands


def test_a_tier_that_was_named_and_does_not_hold_is_refused_and_no_other_taken() -> None:
    async def main() -> None:
        async with open_hands(tier="no-such-tier"):
            pytest.fail("nothing may stand in for it")

    with pytest.raises(Denied):
        asyncio.run(main())
