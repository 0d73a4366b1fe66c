"""What the daemon writes into its log: notable events, and requests. Knows no request's content.

The rest of the events is for `aios events`.
"""

import logging

import msgspec

from aios.server.asgi import Exchange
from aios.telemetry import events
from aios.telemetry.bus import Bus
from aios.telemetry.events import Event
from aios.telemetry.log import FACTS

LOG = logging.getLogger("aios.server")
NOTABLE: dict[type[Event], int] = {
    events.CoreDied: logging.ERROR,
    events.BudgetShort: logging.WARNING,
    events.BudgetLow: logging.WARNING,
    events.LabelBroken: logging.WARNING,
    events.Asked: logging.INFO,
    events.Answered: logging.INFO,
}


def follow(bus: Bus) -> None:
    """Write what an operator should know of."""

    def heard(event: Event) -> None:
        if (level := NOTABLE.get(type(event))) is not None:
            facts = msgspec.to_builtins(event)
            LOG.log(level, facts.pop("event"), extra={FACTS: facts})

    bus.listen(heard)


class Requests:
    """Writes every exchange that has ended, at the level debug; of its path only the route."""

    def began(self, exchange: Exchange) -> None:
        """Nothing to tell yet."""

    def ended(self, exchange: Exchange) -> None:
        if not LOG.isEnabledFor(logging.DEBUG):
            return
        facts = {
            "method": exchange.method,
            "route": exchange.route or "none",
            "status": exchange.status,
            "ms": round(exchange.seconds * 1000, 3),
            "request_id": exchange.request_id,
        }
        LOG.debug("request", extra={FACTS: facts})
