"""OpenAI's embeddings: texts in, vectors out as numbers or as base64 of little-endian floats."""

import base64
import struct
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from aios.errors import InvalidArgument
from aios.server.wire.body import parsed
from aios.server.wire.turn import Body

TEXTS_MAX = 2_048
Some = Annotated[list[str | int | list[int]], Meta(min_length=1, max_length=100_000)]


class EmbeddingRequest(msgspec.Struct, kw_only=True):
    """The body of POST /v1/embeddings, as far as it is heeded."""

    input: str | Some
    model: str = ""
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Annotated[int, Meta(ge=1)] | None = None


class Embeddings:
    """Vectors that were asked for."""

    def __init__(self, body: bytes) -> None:
        self._asked = parsed(body, EmbeddingRequest)
        given = self._asked.input
        self.texts = [given] if isinstance(given, str) else [_text(one) for one in given]
        if len(self.texts) > TEXTS_MAX or not all(self.texts):
            raise InvalidArgument(f"expected 1 to {TEXTS_MAX} texts, none of them empty")
        self.model = self._asked.model

    def reply(self, vectors: Sequence[Sequence[float]], tokens: int) -> Body:
        width = len(vectors[0])
        if self._asked.dimensions is not None and self._asked.dimensions != width:
            raise InvalidArgument(f"expected dimensions {width}, got {self._asked.dimensions}")
        form = _base64 if self._asked.encoding_format == "base64" else list
        return {
            "object": "list",
            "data": [
                {"object": "embedding", "index": index, "embedding": form(vector)}
                for index, vector in enumerate(vectors)
            ],
            "model": self.model,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }


def _text(one: str | int | list[int]) -> str:
    if isinstance(one, str):
        return one
    raise InvalidArgument("expected texts: this kernel's embedder has its own token ids")


def _base64(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
