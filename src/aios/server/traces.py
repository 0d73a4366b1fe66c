"""OpenTelemetry spans of what the kernel does, by the GenAI conventions. Tells no content.

Off unless the operator names where spans go (OTEL_EXPORTER_OTLP_ENDPOINT, or that of traces alone);
the extra `otel` is needed. A request with a `traceparent` is a part of its sender's trace.
Source of the names: OpenTelemetry semantic conventions for generative AI (development).
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aios.errors import NotFound
from aios.kernel import Kernel
from aios.server.asgi import Exchange
from aios.server.front import Observer
from aios.telemetry import events
from aios.telemetry.events import Event

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

LOG = logging.getLogger("aios.server")
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PROPAGATED = ("traceparent", "tracestate")
SYSTEM = "aios"  # gen_ai.provider.name
SERVER_FAULT = 500


@asynccontextmanager
async def tracing(
    kernel: Kernel, environment: Mapping[str, str] = os.environ
) -> AsyncIterator[Sequence[Observer]]:
    """What is to be told of exchanges while the block runs; nobody, where no place is named."""
    if not any(environment.get(name) for name in ENDPOINTS):
        yield ()
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        LOG.warning("no traces: pip install 'aios-kernel[otel]'")
        yield ()
        return
    named = environment.get("OTEL_SERVICE_NAME", SYSTEM)
    provider = TracerProvider(resource=Resource.create({"service.name": named}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    traces = Traces(kernel, provider.get_tracer("aios"))
    try:
        yield (traces,)
    finally:
        traces.close()
        await asyncio.to_thread(provider.shutdown)


class Traces:
    """Spans under way. Bounded by what is under way in the kernel."""

    def __init__(self, kernel: Kernel, tracer: "Tracer") -> None:
        self._kernel = kernel
        self._tracer = tracer
        self._exchanges: dict[str, tuple[Span, Any]] = {}  # by request id; with what detaches it
        self._generations: dict[str, Span] = {}
        self._runs: dict[tuple[int, int], Span] = {}  # of tools, by pid and run
        self._agents: dict[int, Span] = {}  # programs that the kernel runs
        self._on: dict[type[Event], Any] = {
            events.Spawned: self._spawned,
            events.StateChanged: self._state,
            events.Submitted: self._submitted,
            events.Started: self._started,
            events.Stopped: self._stopped,
            events.Ended: self._ended,
            events.ToolStarted: self._tool_started,
            events.ToolEnded: self._tool_ended,
        }
        self._forget = kernel.bus.listen(self._heard)

    def began(self, exchange: Exchange) -> None:
        from opentelemetry.context import attach
        from opentelemetry.trace import SpanKind, set_span_in_context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        told = {name: value for name in PROPAGATED if (value := exchange.header(name))}
        parent = TraceContextTextMapPropagator().extract(told)
        span = self._tracer.start_span(exchange.method, context=parent, kind=SpanKind.SERVER)
        self._exchanges[exchange.request_id] = (span, attach(set_span_in_context(span, parent)))

    def ended(self, exchange: Exchange) -> None:
        from opentelemetry.context import detach

        span, token = self._exchanges.pop(exchange.request_id)
        route = exchange.route or "none"
        span.update_name(f"{exchange.method} {route}")
        span.set_attributes(
            {
                "http.request.method": exchange.method,
                "http.route": route,
                "http.response.status_code": exchange.status,
            }
        )
        _finish(span, str(exchange.status) if exchange.status >= SERVER_FAULT else "")
        detach(token)

    def close(self) -> None:
        """End what is still open, and listen no more."""
        self._forget()
        for spans in (self._generations, self._runs, self._agents):
            for span in spans.values():
                span.end()

    def _heard(self, event: Event) -> None:
        if (handle := self._on.get(type(event))) is not None:
            handle(event)

    def _spawned(self, event: events.Spawned) -> None:
        try:
            is_hosted = self._kernel.table.find(event.pid).program is not None
        except NotFound:
            return
        if is_hosted:
            facts = {"gen_ai.operation.name": "invoke_agent"}
            self._agents[event.pid] = self._begun(f"invoke_agent {event.name}", event, facts)

    def _state(self, event: events.StateChanged) -> None:
        if event.pid in self._agents and event.state in ("exited", "failed", "killed"):
            _finish(self._agents.pop(event.pid), "" if event.state == "exited" else event.state)

    def _submitted(self, event: events.Submitted) -> None:
        found = (loop.find(event.generation) for loop in self._kernel.loops)
        live = next((one for one in found if one is not None), None)
        if live is None:
            return
        decoding = live.call.decoding
        asked = {
            "gen_ai.operation.name": "chat" if live.call.messages else "text_completion",
            "gen_ai.request.model": live.model,
            "gen_ai.request.temperature": decoding.temperature,
            "gen_ai.usage.input_tokens": event.prompt_tokens,
            "aios.generation": event.generation,
        }
        name = f"{asked['gen_ai.operation.name']} {live.model}"
        self._generations[event.generation] = self._begun(name, event, asked)

    def _started(self, event: events.Started) -> None:
        if (span := self._generations.get(event.generation)) is not None:
            span.add_event("on a lane", {"aios.resumed": event.resumed})

    def _stopped(self, event: events.Stopped) -> None:
        if (span := self._generations.get(event.generation)) is not None:
            span.add_event("off its lane", {"aios.tier": event.tier})

    def _ended(self, event: events.Ended) -> None:
        if (span := self._generations.pop(event.generation, None)) is not None:
            span.set_attribute("gen_ai.usage.output_tokens", event.produced)
            _finish(span, "" if event.outcome == "done" else event.outcome)

    def _tool_started(self, event: events.ToolStarted) -> None:
        facts = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": event.tool}
        self._runs[event.pid, event.run] = self._begun(f"execute_tool {event.tool}", event, facts)

    def _tool_ended(self, event: events.ToolEnded) -> None:
        if (span := self._runs.pop((event.pid, event.run), None)) is not None:
            _finish(span, "" if event.outcome == "done" else event.outcome)

    def _begun(self, name: str, event: Event, facts: Mapping[str, Any]) -> "Span":
        """A span below the request that it is made for, else below its agent's own."""
        from opentelemetry.trace import get_current_span, set_span_in_context

        parent = None
        if not get_current_span().get_span_context().is_valid and event.pid in self._agents:
            parent = set_span_in_context(self._agents[event.pid])
        span = self._tracer.start_span(name, context=parent)
        try:
            agent = self._kernel.table.find(event.pid).name
        except NotFound:
            agent = ""
        span.set_attributes(
            {
                "gen_ai.provider.name": SYSTEM,
                "gen_ai.agent.id": str(event.pid),
                "gen_ai.agent.name": agent,
                **facts,
            }
        )
        return span


def _finish(span: "Span", error: str) -> None:
    from opentelemetry.trace import Status, StatusCode

    if error:
        span.set_attribute("error.type", error)
        span.set_status(Status(StatusCode.ERROR, error))
    span.end()
