"""The endpoints beside plain turns: stored responses, token counts, models, embeddings."""

import msgspec

from aios.errors import NotFound
from aios.kernel import Kernel
from aios.server.asgi import Exchange
from aios.server.auth import Identities
from aios.server.served import Served
from aios.server.turns import MODEL_HEADER, Turns
from aios.server.wire.embeddings import Embeddings
from aios.server.wire.errors import Refused
from aios.server.wire.messages import CountTokens
from aios.server.wire.models import listed, told
from aios.server.wire.responses import Response
from aios.server.wire.stored import Kept, Responses
from aios.syscalls import Embed


class Surfaces:
    """Each method answers one path."""

    def __init__(
        self,
        *,
        kernel: Kernel,
        identities: Identities,
        served: Served,
        turns: Turns,
        store: Responses,
    ) -> None:
        self._kernel = kernel
        self._identities = identities
        self._served = served
        self._turns = turns
        self._store = store
        self._since = int(kernel.clock.utc())

    async def respond(self, exchange: Exchange) -> None:
        """POST /v1/responses"""
        token, body = await self._turns.asked(exchange)
        turn = Response(body, self._store, self._pid(token))
        await self._turns.answer(exchange, token, turn)

    async def response(self, exchange: Exchange) -> None:
        """GET /v1/responses/{id}"""
        await exchange.reply((await self._kept(exchange)).body)

    async def inputs(self, exchange: Exchange) -> None:
        """GET /v1/responses/{id}/input_items"""
        given = msgspec.json.decode((await self._kept(exchange)).input)
        if isinstance(given, str):
            part = {"type": "input_text", "text": given}
            given = [{"type": "message", "role": "user", "content": [part]}]
        data = [{"id": f"item_{at}"} | one for at, one in enumerate(given)]
        ends = {"first_id": "item_0", "last_id": f"item_{len(data) - 1}"} if data else {}
        await exchange.reply_json({"object": "list", "data": data, "has_more": False, **ends})

    async def forget_response(self, exchange: Exchange) -> None:
        """DELETE /v1/responses/{id}"""
        kept = await self._kept(exchange)
        owner = self._pid(await self._identities.caller(exchange))
        self._store.forget(owner, kept.id)
        await exchange.reply_json({"id": kept.id, "object": "response", "deleted": True})

    async def count_tokens(self, exchange: Exchange) -> None:
        """POST /v1/messages/count_tokens"""
        token, body = await self._turns.asked(exchange)
        asked = CountTokens(body)
        model = self._served.model(asked.model)
        found = await exchange.unless_gone(self._kernel.call(token, asked.tokenize(model)))
        await exchange.reply_json(asked.reply(found), headers={MODEL_HEADER: model})

    async def models(self, exchange: Exchange) -> None:
        """GET /v1/models"""
        await self._identities.caller(exchange)
        await exchange.reply_json(listed(await self._served.list(), self._since))

    async def model(self, exchange: Exchange) -> None:
        """GET /v1/models/{model}: the one that would run where that name is asked for."""
        await self._identities.caller(exchange)
        name = self._served.model(exchange.parameter("model"))
        found = (await self._served.list()).models
        await exchange.reply_json(
            next(told(model, self._since) for model in found if model.name == name),
            headers={MODEL_HEADER: name},
        )

    async def embeddings(self, exchange: Exchange) -> None:
        """POST /v1/embeddings"""
        token, body = await self._turns.asked(exchange)
        asked = Embeddings(body)
        if not self._kernel.answers(Embed):
            raise Refused("this kernel was started without an embedder", 501)
        call = Embed(texts=tuple(asked.texts))
        found = await exchange.unless_gone(self._kernel.call(token, call))
        words = sum(len(text.split()) for text in asked.texts)
        await exchange.reply_json(asked.reply(found.vectors, tokens=words))

    async def _kept(self, exchange: Exchange) -> Kept:
        owner = self._pid(await self._identities.caller(exchange))
        id = exchange.parameter("id")
        kept = self._store.find(owner, id)
        if kept is None:
            raise NotFound(f"no stored response {id[:100]!r}")
        return kept

    def _pid(self, token: str) -> int:
        return self._kernel.table.by_token(token).pid
