"""The collector while a server runs: a little and often, and as before once it has ended."""

import asyncio
import gc
import weakref

from aios.server.tuning import sparing


class Circle:
    """Only the collector frees it."""

    def __init__(self) -> None:
        self.itself = self


def test_circles_are_freed_while_it_runs_and_python_looks_by_itself_again_afterwards() -> None:
    async def main() -> None:
        spare = asyncio.ensure_future(sparing(lambda: True))
        await asyncio.sleep(0)
        assert not gc.isenabled()
        seen = weakref.ref(Circle())
        async with asyncio.timeout(30):
            while seen() is not None:  # noqa: ASYNC110 - the collector tells nobody
                await asyncio.sleep(0.01)
        spare.cancel()
        await asyncio.wait([spare])

    asyncio.run(main())
    assert gc.isenabled()
