"""How many may be open over HTTP at once, LLM calls or streams; one more is refused unread."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from aios.errors import Busy
from aios.server.asgi import Exchange
from aios.server.routes import Handler

FOR_OTHERS = 8  # one place in so many is kept from whoever has all the others


class Turnstile:
    """What is open costs memory, and refusing must be cheap.

    A call may take its time to be sent, so nobody's process tree gets every place.
    """

    def __init__(self, places: int, what: str = "LLM calls") -> None:
        self._places = places
        self._what = what
        self._of_one_max = places - places // FOR_OTHERS
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
        if self._all >= self._places or self._open[owner] >= self._of_one_max:
            raise Busy(f"{self._all} {self._what} are open, the most there may be")
        self._all += 1
        self._open[owner] += 1
        try:
            yield
        finally:
            self._all -= 1
            self._open[owner] -= 1
            if not self._open[owner]:
                del self._open[owner]
