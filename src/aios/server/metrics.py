"""Counts and times of exchanges and generations, for Prometheus. Listens; changes nothing."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from aios.clock import Clock
from aios.kernel import Kernel
from aios.server.asgi import Exchange
from aios.telemetry import events
from aios.telemetry.events import Event

TEXT = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600)


class Metrics:
    """One registry per server. A route is a label, never a path: paths are without bound."""

    def __init__(self, kernel: Kernel) -> None:
        self._clock: Clock = kernel.clock
        self._registry = CollectorRegistry()
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
        self._ended = Counter("aios_generations", "Generations' ends", ["outcome"], registry=own)
        self._tokens = Counter("aios_generated_tokens", "Tokens of ended generations", registry=own)
        self._switches = Counter("aios_switches", "Generations taken off their lanes", registry=own)
        self._deaths = Counter("aios_core_deaths", "Engines that died", registry=own)
        self._gauge("aios_calls_live", "Syscalls not answered yet", lambda: kernel.gate.live)
        self._gauge("aios_processes", "Living processes", lambda: len(kernel.table))
        self._gauge(
            "aios_generations_live",
            "Generations queued, running or suspended",
            lambda: sum(len(loop.live) for loop in kernel.loops),
        )
        self._began: dict[str, float] = {}  # by request id; as many as exchanges under way
        kernel.bus.listen(self._heard)

    def began(self, exchange: Exchange) -> None:
        self._began[exchange.request_id] = self._clock.now()
        self._open.inc()

    def ended(self, exchange: Exchange) -> None:
        took = self._clock.now() - self._began.pop(exchange.request_id)
        route = exchange.route or "none"
        self._open.dec()
        self._requests.labels(route, str(exchange.status)).inc()
        self._seconds.labels(route).observe(took)

    def text(self) -> bytes:
        """The exposition."""
        return generate_latest(self._registry)

    def _gauge(self, name: str, what: str, read: Callable[[], float]) -> None:
        Gauge(name, what, registry=self._registry).set_function(read)

    def _heard(self, event: Event) -> None:
        if isinstance(event, events.Ended):
            self._ended.labels(event.outcome).inc()
            self._tokens.inc(event.produced)
        elif isinstance(event, events.Stopped):
            self._switches.inc()
        elif isinstance(event, events.CoreDied):
            self._deaths.inc()
