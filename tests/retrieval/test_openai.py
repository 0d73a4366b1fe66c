"""An OpenAI-compatible endpoint, spoken to over a real socket."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from aios.errors import Busy, CoreFailed
from aios.retrieval.openai import BATCH, OpenAIEmbedder


class Endpoint(ThreadingHTTPServer):
    """Answers with vectors of the texts' lengths, or as it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[dict[str, Any]] = []
        self.answer: tuple[int, bytes, dict[str, str]] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body |= {"path": self.path, "key": self.headers["Authorization"]}
        self.server.requests.append(body)
        status, answer, headers = self.server.answer or (200, _vectors(body["input"]), {})
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def _vectors(texts: list[str]) -> bytes:
    rows = [{"index": at, "embedding": [len(text), 1.0]} for at, text in enumerate(texts)]
    return json.dumps({"data": rows[::-1]}).encode()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_texts_become_unit_vectors_in_their_order_and_in_batches(endpoint: Endpoint) -> None:
    embedder = OpenAIEmbedder(endpoint.url, "small", "key")
    texts = ["x" * number for number in range(1, BATCH + 3)]
    vectors = embedder.embed(texts)
    lengths = np.arange(1, BATCH + 3)
    assert np.allclose(vectors[:, 0] / vectors[:, 1], lengths, rtol=1e-4)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert embedder.dimensions == 2
    sent = endpoint.requests[-1]
    assert (sent["path"], sent["model"], sent["key"]) == ("/v1/embeddings", "small", "Bearer key")
    assert [len(one["input"]) for one in endpoint.requests] == [1, BATCH, 2]


def test_a_server_that_is_busy_says_how_long(endpoint: Endpoint) -> None:
    endpoint.answer = (429, b"slow down", {"Retry-After": "7"})
    with pytest.raises(Busy, match="slow down") as raised:
        OpenAIEmbedder(endpoint.url, "small", dimensions=2).embed(["x"])
    assert raised.value.retry_after_s == 7


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (401, b"who are you", "HTTP 401: who are you"),
        (200, b"<html>", "no list of embeddings"),
        (200, b'{"data": []}', "expected 1 vectors"),
        (200, b'{"data": [{"index": 0, "embedding": [NaN, 1]}]}', "expected 1 vectors"),
        (200, b'{"data": [{"index": 0, "embedding": [1, 1, 1]}]}', "vectors of 3; expected 2"),
    ],
)
def test_an_answer_that_waiting_does_not_mend_is_a_failure(
    endpoint: Endpoint, status: int, answer: bytes, said: str
) -> None:
    endpoint.answer = (status, answer, {})
    with pytest.raises(CoreFailed, match=said):
        OpenAIEmbedder(endpoint.url, "small", dimensions=2).embed(["x"])


def test_a_server_that_is_not_there_is_busy() -> None:
    with pytest.raises(Busy, match="cannot be reached"):
        OpenAIEmbedder("http://127.0.0.1:9/v1", "small", dimensions=2).embed(["x"])
