"""How many LLM calls may be open over HTTP at once; one more is refused before it is read."""

from types import TracebackType

from aios.errors import Busy
from aios.server.asgi import Exchange
from aios.server.routes import Handler


class Turnstile:
    """Use as `with` around a call. Waiting calls cost memory each, and refusing must be cheap."""

    def __init__(self, calls_max: int) -> None:
        self._calls_max = calls_max
        self._open = 0

    def around(self, handler: Handler) -> Handler:
        """The handler, for those who find a place."""

        async def admitted(exchange: Exchange) -> None:
            with self:
                await handler(exchange)

        return admitted

    def __enter__(self) -> None:
        if self._open >= self._calls_max:
            raise Busy(f"{self._open} LLM calls are open, the most there may be")
        self._open += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open -= 1
