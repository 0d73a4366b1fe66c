"""LLM requests of any protocol over HTTP: parse, ask the kernel, answer whole or as a stream."""

import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing

import msgspec

from aios.errors import AiosError, InvalidArgument
from aios.kernel import Kernel
from aios.server.asgi import Exchange, key_of
from aios.server.auth import Identities
from aios.server.programs import Hints, Programs
from aios.server.served import Served
from aios.server.settings import Settings
from aios.server.sse import HEADERS, Reader, framed
from aios.server.wire.turn import Event, Head, Streaming, Turn
from aios.syscalls import Completion, Generate, Stream

DEADLINE_HEADER = "x-aios-deadline-s"
PROGRAM_HEADER = "x-aios-program"
PROGRAM_MAX = 128  # characters, as `llm.generate` has it
MODEL_HEADER = "x-aios-model"  # of the reply: the model that ran, whatever name was asked for
Parse = Callable[[bytes], Turn]


class Turns:
    """What all LLM surfaces share."""

    def __init__(
        self, kernel: Kernel, identities: Identities, served: Served, settings: Settings
    ) -> None:
        self._kernel = kernel
        self._identities = identities
        self._served = served
        self._settings = settings
        self._boot = f"{kernel.environment.random.getrandbits(48):012x}"
        self._programs = Programs()
        self._count = 0

    async def asked(self, exchange: Exchange) -> tuple[str, bytes]:
        """Who asks, and the request's body."""
        token = await self._identities.caller(exchange)
        body = await exchange.body(
            bytes_max=self._settings.body_bytes_max, within_s=self._settings.body_s
        )
        return token, body

    def endpoint(self, parse: Parse) -> Callable[[Exchange], Awaitable[None]]:
        """POST of one surface."""

        async def answer(exchange: Exchange) -> None:
            token, body = await self.asked(exchange)
            await self.answer(exchange, token, parse(body))

        return answer

    async def answer(self, exchange: Exchange, token: str, turn: Turn) -> None:
        """Let the kernel generate, and tell the client."""
        model = self._served.model(turn.model)
        head = self._head(model)
        call = _heeded(exchange, turn.generate(model))
        call = msgspec.structs.replace(
            call, program=self._program(exchange, token, turn, head, call)
        )
        headers = {MODEL_HEADER: model}
        if turn.is_stream:
            chunks = self._chunks(exchange, token, call, turn.streaming(head))
            reader = Reader(exchange, self._settings, headers=HEADERS | headers)
            await reader.run(chunks)
            return
        completion = await exchange.unless_gone(
            self._kernel.call(token, call, key=key_of(exchange))
        )
        await exchange.reply_json(turn.reply(completion, head), headers=headers)

    def _program(
        self, exchange: Exchange, token: str, turn: Turn, head: Head, call: Generate
    ) -> str:
        """What work the call is part of, as far as its client tells."""
        table = self._kernel.table
        name = exchange.header(PROGRAM_HEADER)
        if len(name) > PROGRAM_MAX:  # Before it is remembered.
            raise InvalidArgument(
                f"expected at most {PROGRAM_MAX} characters in {PROGRAM_HEADER}, got {len(name)}"
            )
        hints = Hints(
            name=name,
            trace=exchange.header("traceparent"),
            follows=turn.follows,
            answer=head.response,
        )
        return self._programs.recognised(table.root_of(table.by_token(token)), hints, call)

    def _head(self, model: str) -> Head:
        self._count += 1
        return Head(
            stem=f"{self._boot}{self._count:06x}",
            created=int(self._kernel.clock.utc()),
            model=model,
        )

    async def _chunks(
        self, exchange: Exchange, token: str, call: Generate, streaming: Streaming
    ) -> AsyncGenerator[bytes, None]:
        """An error is told in the stream where that has begun, and raised where it has not."""
        items = self._kernel.stream(token, Stream(generate=call), key=key_of(exchange))
        assert isinstance(items, AsyncGenerator)
        try:
            async with aclosing(items):
                async for item in items:
                    if isinstance(item, Completion):
                        yield _joined(streaming.end(item))
                    elif chunk := _joined(streaming.delta(item)):
                        yield chunk
        except AiosError as error:
            if not exchange.status:
                raise
            yield _joined(streaming.broken(error))


def _joined(events: Iterable[Event]) -> bytes:
    return b"".join(map(framed, events))


def _heeded(exchange: Exchange, call: Generate) -> Generate:
    """The call with what headers say about it."""
    changes: dict[str, object] = {}
    if given := exchange.header(DEADLINE_HEADER):
        changes["deadline_s"] = _seconds(given)
    return msgspec.structs.replace(call, **changes) if changes else call


def _seconds(given: str) -> float:
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise InvalidArgument(f"expected seconds above 0 in {DEADLINE_HEADER}, got {given!r}")
    return seconds
