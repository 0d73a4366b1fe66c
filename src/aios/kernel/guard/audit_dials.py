"""What left for the network, or was kept from it, on its way into the audit: bounded and summed.

Equal decisions between two pages are one record with a count; beyond so many different ones of one
process, places are not told one by one.
"""

from typing import NamedTuple

from aios.access.chain import Entry
from aios.sandbox.egress import Decision as Dial
from aios.syscalls.access import Decision

VERB = "tool.connect"
PLACES_MAX = 32  # of one process, between two pages
ALL_MAX = 512
OTHERS = "other places"
RULE_MAX = 200


class _Key(NamedTuple):
    pid: int
    agent: str
    tool: str
    place: str
    decision: Decision
    rule: str


class Dials:
    """Those not written yet."""

    def __init__(self) -> None:
        self._counts: dict[_Key, int] = {}
        self._places: dict[tuple[int, str], int] = {}  # different ones, by process and tool

    def add(self, dial: Dial) -> None:
        whose = dial.whose
        decision = Decision.ALLOW if dial.is_allowed else Decision.DENY
        place = dial.target or dial.address or "?"
        key = _Key(whose.pid, whose.agent, whose.tool, place, decision, dial.why[:RULE_MAX])
        if key not in self._counts:
            here = (whose.pid, whose.tool)
            self._places[here] = self._places.get(here, 0) + 1
            if self._places[here] > PLACES_MAX or len(self._counts) >= ALL_MAX:
                key = key._replace(place=OTHERS, rule="")
        self._counts[key] = self._counts.get(key, 0) + 1

    def taken(self, at: float, policy: str) -> list[Entry]:
        """Records of them all, which are forgotten."""
        counts, self._counts = self._counts, {}
        self._places.clear()
        return [
            Entry(
                at, key.pid, key.agent, VERB, f"{key.place} by {key.tool or 'nobody known'}",
                key.decision, key.rule, policy, "", "", count,
            )
            for key, count in counts.items()
        ]  # fmt: skip
