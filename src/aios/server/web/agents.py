"""The overview of everything that lives, and one agent's page."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from aios.errors import NotFound
from aios.server.web.pages import Page
from aios.server.web.record import Record
from aios.server.web.visit import Visit
from aios.syscalls import Calls, Inspect, Pid
from aios.syscalls.access import Rights, ShowLabel
from aios.syscalls.budget import Budget, Budgets, Resource
from aios.syscalls.kernel import AgentStats, MachineStats, Stats
from aios.syscalls.scheduling import ShowScheduler
from aios.telemetry.events import Ended, Event, Spawned, Started, Stopped, Submitted

ROWS = 50  # agents on one page
LANE_EVENTS = (Spawned, Submitted, Started, Stopped, Ended)
SLICES_MAX = 3_000  # events of lanes that a page begins with
RATE_S = 5.0  # over which a rate is taken


class Row(NamedTuple):
    """An agent in the table: how deep it stands below the first process, and what it cost."""

    depth: int
    agent: AgentStats
    cost: float | None


class Rates:
    """Tokens a second, of readings that pages make anyway."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque(maxlen=64)  # oldest first

    def tokens_per_s(self, now: float, produced: int) -> float | None:
        """Since the reading that is about `RATE_S` old; None where there is none."""
        if not self._seen or now - self._seen[-1][0] >= 0.5:
            self._seen.append((now, produced))
        old = next((one for one in self._seen if now - one[0] <= 2 * RATE_S), None)
        if old is None or now - old[0] < 0.5:
            return None
        while self._seen and now - self._seen[0][0] > 2 * RATE_S:
            self._seen.popleft()
        return max(0, produced - old[1]) / (now - old[0])


class Agents:
    """Pages that show processes."""

    def __init__(self) -> None:
        self._rates = Rates()

    async def overview(self, visit: Visit) -> Page:
        """Lanes, queues, tiers, and the agents."""
        stats = await visit.call(Stats())
        budgets = await visit.allowed(Budgets())
        rows, total = _rows(stats, visit, _costs(budgets.budgets if budgets else ()))
        pages = max(1, -(-total // ROWS))
        number = min(visit.number("page"), pages)
        produced = sum(core.produced_tokens for core in stats.cores)
        values: dict[str, Any] = {
            "stats": stats,
            "rate": self._rates.tokens_per_s(stats.at_s, produced),
            "scheduler": await visit.allowed(ShowScheduler()),
            "rows": rows[(number - 1) * ROWS : number * ROWS],
            "total": total,
            "page": number,
            "pages": pages,
            "q": visit.query("q"),
            "sort": visit.query("sort"),
            "has_cost": any(row.cost is not None for row in rows),
        }
        return Page("overview.html", "Overview", values | _lanes(visit, stats))

    async def agent(self, visit: Visit) -> Page:
        """One agent: what it said and heard, its calls, its rights."""
        told = visit.exchange.parameter("pid")
        if not (told.isdecimal() and len(told) < 19):
            raise NotFound("expected a process's number: /agent/PID")
        pid: Pid = int(told)
        info = await visit.call(Inspect(pid=pid))
        stats = await visit.call(Stats())
        budgets = await visit.allowed(Budgets(account=info.agent))
        values = {
            "info": info,
            "row": next((one for one in stats.agents if one.pid == pid), None),
            "children": [one for one in stats.agents if one.parent == pid],
            "calls": await visit.allowed(Calls(pid=pid)),
            "rights": await visit.allowed(Rights(agent=info.agent)),
            "label": await visit.allowed(ShowLabel(pid=pid)),
            "budgets": [
                one for one in (budgets.budgets if budgets else ()) if one.account == info.agent
            ],
        }
        return Page("agent.html", info.name, values | _lanes(visit, stats, pid))


def _lanes(visit: Visit, stats: MachineStats, pid: Pid | None = None) -> dict[str, Any]:
    """What the chart of lanes begins with; from then on it follows the stream."""
    names = {one.pid: one.agent or one.name for one in stats.agents}
    return {
        "lanes": sum(core.lanes for core in stats.cores),
        "names": {key: names[key] for key in list(names)[:SLICES_MAX]},
        "only": pid,
    }


def lane_events(record: Record, token: str) -> Sequence[Event]:
    """The last events about lanes that may be seen with this token."""
    seen = record.visible(token)(record.since(0))
    return [one for one in seen if isinstance(one, LANE_EVENTS)][-SLICES_MAX:]


def _costs(budgets: Iterable[Budget]) -> Mapping[str, float]:
    return {one.account: one.spent for one in budgets if one.resource is Resource.MONEY}


def _rows(stats: MachineStats, visit: Visit, costs: Mapping[str, float]) -> tuple[list[Row], int]:
    """The agents in order: as a tree, or what is found, or sorted by a figure."""
    words, sort = visit.query("q").lower(), visit.query("sort")
    agents = [one for one in stats.agents if one.pid != 1]
    if words:
        agents = [one for one in agents if words in f"{one.pid} {one.agent} {one.state}".lower()]
    if sort in SORTS:
        agents.sort(key=SORTS[sort])
    nested = [(0, one) for one in agents] if words or sort in SORTS else _tree(agents)
    return [Row(depth, one, costs.get(one.agent)) for depth, one in nested], len(nested)


SORTS: Mapping[str, Any] = {
    "tokens": lambda one: -(one.prompt_tokens + one.completion_tokens),
    "calls": lambda one: -one.calls,
    "waits": lambda one: -one.waited_s,
    "kv": lambda one: -one.kv_tokens,
    "age": lambda one: one.age_s,
    "name": lambda one: one.agent,
}


def _tree(agents: Sequence[AgentStats]) -> list[tuple[int, AgentStats]]:
    """Each below its parent; who has none here stands at the left."""
    here = {one.pid for one in agents}
    below: dict[Pid, list[AgentStats]] = {}
    for one in agents:
        below.setdefault(one.parent if one.parent in here else 0, []).append(one)
    nested = []
    to_visit = [(0, one) for one in reversed(below.get(0, []))]
    while to_visit:
        depth, one = to_visit.pop()
        nested.append((depth, one))
        to_visit += [(depth + 1, child) for child in reversed(below.get(one.pid, []))]
    return nested
