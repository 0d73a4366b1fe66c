"""Spans of requests, generations and tools, by the GenAI conventions."""

from collections.abc import Sequence
from typing import Any

import pytest

from aios.kernel import Kernel
from aios.server.front import Observer
from aios.server.traces import Traces
from tests.server.house import SLOW, house, lived, soon

sdk = pytest.importorskip("opentelemetry.sdk.trace")
export = pytest.importorskip("opentelemetry.sdk.trace.export")
memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
ASKED = {"messages": [{"role": "user", "content": "a secret"}], "max_tokens": 5}
TRACE = "0af7651916cd43dd8448eb211c80319c"


class Kept:
    """Finished spans by name."""

    def __init__(self) -> None:
        self._exporter = memory.InMemorySpanExporter()
        self._provider = sdk.TracerProvider()
        self._provider.add_span_processor(export.SimpleSpanProcessor(self._exporter))

    def __call__(self, kernel: Kernel) -> Sequence[Observer]:
        return (Traces(kernel, self._provider.get_tracer("test")),)

    def named(self, name: str) -> Any:
        (found,) = [one for one in self._exporter.get_finished_spans() if one.name == name]
        return found

    def text(self) -> str:
        return "".join(one.to_json() for one in self._exporter.get_finished_spans())


def test_a_request_is_a_part_of_its_senders_trace_and_its_generation_a_part_of_it() -> None:
    kept = Kept()

    async def main() -> None:
        async with house(lambda call: "an answer", observe=kept) as home:
            headers = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
            async with home.http.post("/v1/chat/completions", json=ASKED, headers=headers) as got:
                assert got.status == 200

    lived(main)
    request, chat = kept.named("POST /v1/chat/completions"), kept.named("chat scripted")
    assert f"{request.context.trace_id:032x}" == TRACE
    assert chat.parent.span_id == request.context.span_id
    assert chat.attributes["gen_ai.operation.name"] == "chat"
    assert chat.attributes["gen_ai.provider.name"] == "aios"
    assert chat.attributes["gen_ai.agent.name"] == "agent"
    assert chat.attributes["gen_ai.usage.input_tokens"] > 0
    assert chat.attributes["gen_ai.usage.output_tokens"] > 0
    assert chat.events[0].name == "on a lane"
    assert "a secret" not in kept.text()
    assert "an answer" not in kept.text()


def test_what_failed_says_why() -> None:
    kept = Kept()

    async def main() -> None:
        async with house(script=SLOW, observe=kept) as home:
            asked = {**ASKED, "max_tokens": 4_000}
            headers = {"X-AIOS-Deadline-S": "1.5"}
            url = "/v1/chat/completions"
            async with home.http.post(url, json=asked, headers=headers) as got:
                assert got.status == 429
            await soon(lambda: home.running == 0)

    lived(main)
    chat = kept.named("chat scripted")
    assert chat.status.status_code.name == "ERROR"
    assert chat.attributes["error.type"] == "deadline_exceeded"
