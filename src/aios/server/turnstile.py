"""How many LLM calls may be open over HTTP at once; one more is refused before it is read."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from aios.errors import Busy
from aios.server.asgi import Exchange
from aios.server.routes import Handler

FOR_OTHERS = 8  # one place in so many is kept from whoever has all the others


class Turnstile:
    """Waiting calls cost memory each, and refusing must be cheap.

    A call may take its time to be sent, so nobody's process tree gets every place.
    """

    def __init__(self, calls_max: int) -> None:
        self._calls_max = calls_max
        self._of_one_max = calls_max - calls_max // FOR_OTHERS
        self._open: Counter[int] = Counter()  # by owner; none is 0
        self._all = 0

    def around(self, handler: Handler, owner_of: Callable[[Exchange], Awaitable[int]]) -> Handler:
        """The handler, for those who find a place."""

        async def admitted(exchange: Exchange) -> None:
            with self.place(await owner_of(exchange)):
                await handler(exchange)

        return admitted

    @contextmanager
    def place(self, owner: int) -> Iterator[None]:
        """One call's, while the block runs."""
        if self._all >= self._calls_max or self._open[owner] >= self._of_one_max:
            raise Busy(f"{self._all} LLM calls are open, the most there may be")
        self._all += 1
        self._open[owner] += 1
        try:
            yield
        finally:
            self._all -= 1
            self._open[owner] -= 1
            if not self._open[owner]:
                del self._open[owner]
