"""Which agent had which lane when, from the kernel's own events. Knows no core and no policy."""

from aios.bench.records import Ending, Span
from aios.telemetry.bus import Bus
from aios.telemetry.events import Ended, Event, Spawned, Started, Stopped


class LaneWatch:
    """Listens to a kernel's bus. A generation takes the lowest free lanes, one a branch."""

    def __init__(self, bus: Bus) -> None:
        self.spans: list[Span] = []
        self.switches = 0
        self._names: dict[int, str] = {}
        self._on: dict[str, tuple[float, str, list[int]]] = {}  # start, agent, lanes
        self._taken: set[int] = set()
        bus.listen(self._hear)

    def finish(self, now: float) -> None:
        """The run is over: what is on a lane is cut there."""
        for generation in list(self._on):
            self._leave(generation, now, Ending.CUT)

    @property
    def busy(self) -> int:
        """Lanes taken now."""
        return len(self._taken)

    def _hear(self, event: Event) -> None:
        match event:
            case Spawned():
                self._names[event.pid] = event.name
            case Started():
                lanes = self._take(event.branches)
                agent = self._names.get(event.pid, str(event.pid))
                self._on[event.generation] = (event.at, agent, lanes)
            case Stopped():
                # One that rests may be moved to another tier: it is off its lane already.
                self.switches += self._leave(event.generation, event.at, Ending.SWITCHED)
            case Ended():
                ending = Ending.DONE if event.outcome == "done" else Ending.CUT
                self._leave(event.generation, event.at, ending)

    def _take(self, count: int) -> list[int]:
        lanes: list[int] = []
        lane = 0
        while len(lanes) < count:
            if lane not in self._taken:
                lanes.append(lane)
            lane += 1
        self._taken.update(lanes)
        return lanes

    def _leave(self, generation: str, at: float, ending: Ending) -> bool:
        """Note a stay that is over; False where there was none."""
        if generation not in self._on:
            return False
        start, agent, lanes = self._on.pop(generation)
        self._taken.difference_update(lanes)
        self.spans += [
            Span(lane=lane, agent=agent, start=start, end=at, ending=ending) for lane in lanes
        ]
        return True
