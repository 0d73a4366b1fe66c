"""Embeddings from an OpenAI-compatible endpoint: `POST <url>/embeddings`. Blocks: not for a loop.

Failures that waiting may mend (429, 5xx, no connection, no answer in time) raise `Busy` with the
seconds that the server asks for; all others raise `CoreFailed`.
"""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Sequence

import numpy as np

from aios.errors import AiosError, Busy, CoreFailed
from aios.retrieval.base import Vectors
from aios.retrieval.core import unit

BATCH = 64
TIMEOUT_S = 30.0
CHARS_MAX = 8_000  # of one text: within any such model's context
RETRY_AFTER_S = 5.0
RETRY_AFTER_S_MAX = 300.0
ANSWER_BYTES_MAX = 64 << 20
MENDED_BY_WAITING = {408, 409, 425, 429, 500, 502, 503, 504}


class OpenAIEmbedder:
    """One model of one endpoint. Its first embedding tells the dimensions, if nobody did."""

    def __init__(
        self, url: str, model: str, key: str = "", *, dimensions: int = 0,
        timeout_s: float = TIMEOUT_S,
    ) -> None:  # fmt: skip
        self._url = f"{url.rstrip('/')}/embeddings"
        self._model = model
        self._key = key
        self._timeout_s = timeout_s
        self._dimensions = dimensions

    @property
    def name(self) -> str:
        return f"openai:{self._model}"

    @property
    def dimensions(self) -> int:
        if not self._dimensions:
            self._dimensions = self._asked(["dimensions"]).shape[1]
        return self._dimensions

    def embed(self, texts: Sequence[str]) -> Vectors:
        found = np.zeros((len(texts), self.dimensions), np.float32)
        for at in range(0, len(texts), BATCH):
            some = texts[at : at + BATCH]
            vectors = self._asked(some)
            if vectors.shape[1] != self.dimensions:
                raise self._failed(f"vectors of {vectors.shape[1]}; expected {self.dimensions}")
            found[at : at + len(some)] = vectors
        return unit(found)

    def _asked(self, texts: Sequence[str]) -> Vectors:
        # An empty text is an error to some endpoints.
        inputs = [text[:CHARS_MAX] or " " for text in texts]
        answer = self._answer(json.dumps({"model": self._model, "input": inputs}).encode())
        try:
            rows = sorted(json.loads(answer)["data"], key=lambda row: row["index"])
            vectors = np.array([row["embedding"] for row in rows], np.float32)
        except (ValueError, KeyError, TypeError) as error:
            raise self._failed(f"no list of embeddings: {error!r}") from error
        if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
            raise self._failed(f"shape {vectors.shape}; expected {len(texts)} vectors of numbers")
        return vectors

    def _answer(self, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(self._url, body, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s) as response:
                found: bytes = response.read(ANSWER_BYTES_MAX)
        except urllib.error.HTTPError as error:
            with error:
                raise self._refused(error) from error
        except (OSError, http.client.HTTPException) as error:
            raise Busy(
                f"{self._url} cannot be reached: {error}", retry_after_s=RETRY_AFTER_S
            ) from error
        return found

    def _refused(self, error: urllib.error.HTTPError) -> AiosError:
        said = error.read(500).decode("utf-8", "replace")
        if error.code not in MENDED_BY_WAITING:
            return self._failed(f"HTTP {error.code}: {said}")
        wait = error.headers.get("Retry-After", "")
        wait_s = float(wait) if wait.isdigit() else RETRY_AFTER_S
        return Busy(
            f"{self._url} answered HTTP {error.code}: {said}",
            retry_after_s=min(wait_s, RETRY_AFTER_S_MAX),
        )

    def _failed(self, what: str) -> CoreFailed:
        return CoreFailed(f"{self._url} cannot embed with {self._model!r}: it gave {what}")
