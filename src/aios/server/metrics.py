"""Counts and times of exchanges and generations, for Prometheus. Listens; changes nothing."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from aios.kernel import Kernel
from aios.kernel.generations import GenerationState
from aios.kernel.runloop import RunLoop
from aios.server.asgi import Exchange
from aios.telemetry import events
from aios.telemetry.events import Event

TEXT = "text/plain; version=0.0.4; charset=utf-8"
RUNNING = GenerationState.RUNNING
SECONDS = (0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600)


class Metrics:
    """One registry per server. A route is a label, never a path: paths are without bound."""

    def __init__(self, kernel: Kernel) -> None:
        self._registry = CollectorRegistry()
        self._waiting: dict[str, float] = {}  # generations without a lane yet, since when
        self._on: dict[type[Event], Callable[[Any], None]] = {}
        own = self._registry
        self._requests = Counter(
            "aios_http_requests", "Exchanges that ended", ["route", "status"], registry=own
        )
        self._seconds = Histogram(
            "aios_http_request_seconds",
            "Time to the reply's end",
            ["route"],
            buckets=SECONDS,
            registry=own,
        )
        self._open = Gauge("aios_http_open", "Exchanges under way", registry=own)
        self._gauge("aios_calls_live", "Syscalls not answered yet", lambda: kernel.gate.live)
        self._gauge("aios_processes", "Living processes", lambda: len(kernel.table))
        self._gauge(
            "aios_generations_live",
            "Generations queued, running or suspended",
            lambda: sum(len(loop.live) for loop in kernel.loops),
        )
        self._of_cores(kernel.loops)
        self._of_events()
        kernel.bus.listen(self._heard)

    def began(self, exchange: Exchange) -> None:
        self._open.inc()

    def ended(self, exchange: Exchange) -> None:
        route = exchange.route or "none"
        self._open.dec()
        self._requests.labels(route, str(exchange.status)).inc()
        self._seconds.labels(route).observe(exchange.seconds)

    def text(self) -> bytes:
        """The exposition."""
        return generate_latest(self._registry)

    def _gauge(self, name: str, what: str, read: Callable[[], float]) -> None:
        Gauge(name, what, registry=self._registry).set_function(read)

    def _of_cores(self, loops: Sequence[RunLoop]) -> None:
        """Cores of one model are told by their places among it."""
        own, labels = self._registry, ["model", "core"]
        lanes = Gauge("aios_lanes", "Lanes of a core", labels, registry=own)
        busy = Gauge("aios_generations_running", "Generations on lanes", labels, registry=own)
        kv = Gauge("aios_kv_tokens", "Tokens that a core's KV has room for", labels, registry=own)
        for at, loop in enumerate(loops):
            name = (loop.core.traits.model, str(at))
            lanes.labels(*name).set_function(partial(_lanes, loop))
            kv.labels(*name).set_function(partial(_kv_tokens, loop))
            busy.labels(*name).set_function(partial(_running, loop))

    def _of_events(self) -> None:
        """What each kind of event counts."""
        ended = self._counter("aios_generations", "Generations' ends", "outcome")
        tokens = self._counter("aios_generated_tokens", "Tokens of ended generations")
        switches = self._counter("aios_switches", "Generations taken off their lanes")
        waited = self._histogram("aios_generation_wait_seconds", "Until a lane was had, at first")
        runs = self._counter("aios_tool_runs", "Tools' ends", "outcome")
        ran = self._histogram("aios_tool_seconds", "Time that tools took")
        asked = self._counter("aios_approvals_asked", "Questions to a human")
        answered = self._counter("aios_approvals_answered", "Questions that are over", "answer")
        short = self._counter("aios_budget_waits", "Calls that wait for a top-up")
        deaths = self._counter("aios_core_deaths", "Engines that died")

        def submitted(event: events.Submitted) -> None:
            self._waiting[event.generation] = event.at

        def started(event: events.Started) -> None:
            if (since := self._waiting.pop(event.generation, None)) is not None:
                waited.observe(event.at - since)

        def over(event: events.Ended) -> None:
            self._waiting.pop(event.generation, None)
            ended.labels(event.outcome).inc()
            tokens.inc(event.produced)

        def tool_over(event: events.ToolEnded) -> None:
            runs.labels(event.outcome).inc()
            ran.observe(event.took_s)

        self._on = {
            events.Submitted: submitted,
            events.Started: started,
            events.Ended: over,
            events.Stopped: lambda _: switches.inc(),
            events.ToolEnded: tool_over,
            events.Asked: lambda _: asked.inc(),
            events.Answered: lambda event: answered.labels(event.answer).inc(),
            events.BudgetShort: lambda _: short.inc(),
            events.CoreDied: lambda _: deaths.inc(),
        }

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(name, what, labels, registry=self._registry)

    def _histogram(self, name: str, what: str) -> Histogram:
        return Histogram(name, what, buckets=SECONDS, registry=self._registry)

    def _heard(self, event: Event) -> None:
        if (count := self._on.get(type(event))) is not None:
            count(event)


def _lanes(loop: RunLoop) -> float:
    return loop.machine.lanes


def _kv_tokens(loop: RunLoop) -> float:
    return loop.machine.kv_tokens


def _running(loop: RunLoop) -> float:
    return sum(live.state is RUNNING for live in loop.live)
