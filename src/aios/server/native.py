"""Every syscall of the table over HTTP: POST /api/syscalls/NAME, its fields in, its reply out.

JSON for people, MessagePack for the SDK, by the content type. A stream is sent as frames: four
bytes of length, then MessagePack of a kind and a value; a frame of length 0 keeps the line alive.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing, nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from aios.errors import AiosError, InvalidArgument, NotFound
from aios.kernel import Kernel
from aios.server.asgi import JSON, Exchange, key_of
from aios.server.auth import Identities
from aios.server.settings import Settings
from aios.server.sse import HEADERS, Reader, framed
from aios.server.turnstile import Turnstile
from aios.server.wire.errors import body_of
from aios.server.wire.turn import Event
from aios.syscalls import Completion, Stream
from aios.syscalls.table import SYSCALLS

MSGPACK = "application/msgpack"
FRAMES = "application/vnd.aios.frames"
NO_NEWS = bytes(4)
LLM_CALLS = frozenset({"llm.generate", "llm.stream"})


@dataclass(frozen=True, slots=True)
class _Form:
    """A way to write values: its content type, and both directions."""

    kind: str
    decoder: Any
    encode: Any


_FORMS = {
    JSON: _Form(JSON, msgspec.json.Decoder, msgspec.json.Encoder().encode),
    MSGPACK: _Form(MSGPACK, msgspec.msgpack.Decoder, msgspec.msgpack.Encoder().encode),
}


class Native:
    """The kernel's own interface."""

    def __init__(
        self, kernel: Kernel, identities: Identities, settings: Settings, turnstile: Turnstile
    ) -> None:
        self._kernel = kernel
        self._turnstile = turnstile
        self._identities = identities
        self._settings = settings

    async def syscall(self, exchange: Exchange) -> None:
        """POST /api/syscalls/{name}"""
        form = _FORMS[MSGPACK if exchange.header("content-type") == MSGPACK else JSON]
        token = await self._identities.caller(exchange)
        name = exchange.parameter("name")
        if name not in SYSCALLS:
            raise NotFound(f"no syscall {name[:100]!r}; known: {', '.join(sorted(SYSCALLS))}")
        owner = self._identities.owner_of(token)
        with self._turnstile.place(owner) if name in LLM_CALLS else nullcontext():
            await self._answer(exchange, token, name, form)

    async def _answer(self, exchange: Exchange, token: str, name: str, form: _Form) -> None:
        body = await exchange.body(
            bytes_max=self._settings.body_bytes_max, within_s=self._settings.body_s
        )
        call = _parsed(body or form.encode({}), name, form)
        if isinstance(call, Stream):
            await self._stream(exchange, token, call, form)
            return
        key = key_of(exchange)
        reply = await exchange.unless_gone(self._kernel.call(token, call, key=key))
        await exchange.reply(form.encode(reply), kind=form.kind)

    async def _stream(self, exchange: Exchange, token: str, call: Stream, form: _Form) -> None:
        items = self._kernel.stream(token, call, key=key_of(exchange))
        assert isinstance(items, AsyncGenerator)
        if form.kind == MSGPACK:
            headers = HEADERS | {"content-type": FRAMES}
            reader = Reader(exchange, self._settings, headers=headers, keep_alive=NO_NEWS)
            await reader.run(_told(exchange, items, frame))
            return
        await Reader(exchange, self._settings, headers=HEADERS).run(_told(exchange, items, _event))


def frame(kind: str, value: Any) -> bytes:
    """One frame of a stream."""
    body = msgspec.msgpack.encode((kind, value))
    return len(body).to_bytes(4, "big") + body


def _event(kind: str, value: Any) -> bytes:
    return framed(Event(value, kind))


async def _told(exchange: Exchange, items: Any, form: Any) -> AsyncGenerator[bytes, None]:
    try:
        async with aclosing(items):
            async for item in items:
                yield form("completion" if isinstance(item, Completion) else "delta", item)
    except AiosError as error:
        if not exchange.status:
            raise
        yield form("error", body_of(error, "native")["error"])


def _parsed(body: bytes, name: str, form: _Form) -> Any:
    try:
        return _decoder(name, form.kind).decode(body)
    except msgspec.ValidationError as problem:
        raise InvalidArgument(str(problem)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise InvalidArgument(f"expected {form.kind}: {problem}") from None
    except RecursionError:
        raise InvalidArgument("expected data that is nested less deeply") from None


@cache
def _decoder(name: str, kind: str) -> Any:
    return _FORMS[kind].decoder(SYSCALLS[name])
