"""The handler of `kernel.stats`: one look at cores, tiers and agents. Reads, and keeps nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from aios.config import Limits
from aios.context.snapshot import Tier
from aios.cores.process import ProcessCore
from aios.kernel.gate import Gate
from aios.kernel.generations import GenerationState, LiveGeneration
from aios.kernel.lives import Lives
from aios.kernel.process import INIT, Process
from aios.kernel.runloop import RunLoop
from aios.syscalls.kernel import (
    AgentStats,
    CoreState,
    CoreStats,
    MachineStats,
    RoomStats,
    Stats,
)

G = GenerationState
READY = (G.QUEUED, G.SUSPENDED)


class Memory(Protocol):
    """What is asked of the room that keeps agents' blocks."""

    @property
    def ram_bytes(self) -> int: ...

    def usage(self, agent: str) -> tuple[int, int]:
        """Bytes of an agent's blocks in RAM, and on disk alone."""
        ...


class NoMemory:
    """Where there is no such room."""

    ram_bytes = 0

    def usage(self, agent: str) -> tuple[int, int]:
        return 0, 0


@dataclass(slots=True)
class _Part:
    """What some generations are and have together."""

    states: dict[GenerationState, int] = field(default_factory=lambda: dict.fromkeys(G, 0))
    lanes: int = 0
    kv_tokens: int = 0
    bytes: dict[Tier, int] = field(default_factory=lambda: dict.fromkeys(Tier, 0))
    prompt_tokens: int = 0
    produced: int = 0
    waited_s: float = 0.0

    def add(self, live: LiveGeneration, now: float) -> None:
        self.states[live.state] += 1
        self.kv_tokens += live.kv_tokens
        self.produced += live.tokens_out
        self.prompt_tokens += live.started_at is not None and len(live.generation.prompt)
        if live.state is G.RUNNING:
            self.lanes += live.job.branches
        if live.state in READY:
            self.waited_s = max(self.waited_s, now - live.ready_at)
        if live.snapshot is not None:
            self.bytes[live.snapshot.tier] += live.snapshot.bytes


NO_MEMORY = NoMemory()


class StatsCalls:
    """Costs time in proportion to what is live, and to the agents that are asked for."""

    def __init__(
        self, lives: Lives, gate: Gate, loops: Sequence[RunLoop], limits: Limits, memory: Memory
    ) -> None:
        self._lives = lives
        self._gate = gate
        self._loops = loops
        self._limits = limits
        self._memory = memory
        self._began = lives.clock.now()

    async def stats(self, process: Process, call: Stats) -> MachineStats:
        now = self._lives.clock.now()
        table = self._lives.table
        shown: Iterable[Process] = ()
        if call.agents:
            shown = table.all(ended=False) if process.pid == INIT else table.tree(process)
        return MachineStats(
            at_s=now,
            up_s=now - self._began,
            live_calls=self._gate.live,
            processes=len(table),
            cores=tuple(_core(loop, now) for loop in self._loops),
            rooms=self._rooms(),
            agents=self._agents(shown, now),
        )

    def _rooms(self) -> tuple[RoomStats, ...]:
        bytes_in = dict.fromkeys(Tier, 0)
        for loop in self._loops:
            for live in loop.live:
                if live.snapshot is not None:
                    bytes_in[live.snapshot.tier] += live.snapshot.bytes
        limits, engines = self._limits, len(self._loops)  # each has a budget of its own
        rows = (
            ("snapshots", Tier.RAM, bytes_in[Tier.RAM], limits.ram_bytes * engines),
            ("snapshots", Tier.DISK, bytes_in[Tier.DISK], limits.disk_bytes * engines),
            ("memory", Tier.RAM, self._memory.ram_bytes, limits.memory_bytes),
        )
        return tuple(
            RoomStats(kind=kind, tier=tier.value, used_bytes=used, limit_bytes=limit)
            for kind, tier, used, limit in rows
        )

    def _agents(self, shown: Iterable[Process], now: float) -> tuple[AgentStats, ...]:
        parts: dict[int, _Part] = {}
        for loop in self._loops:
            for live in loop.live:
                parts.setdefault(live.job.pid, _Part()).add(live, now)
        idle = _Part()
        return tuple(self._agent(one, parts.get(one.pid, idle), now) for one in shown)

    def _agent(self, process: Process, part: _Part, now: float) -> AgentStats:
        in_ram, on_disk = self._memory.usage(process.agent)
        return AgentStats(
            pid=process.pid,
            parent=process.parent,
            name=process.name,
            agent=process.agent,
            state=process.state,
            age_s=now - process.born,
            calls=process.calls,
            live_calls=process.live_calls,
            prompt_tokens=process.prompt_tokens + part.prompt_tokens,
            completion_tokens=process.completion_tokens + part.produced,
            running=part.states[G.RUNNING],
            waiting=sum(part.states[state] for state in READY),
            waited_s=part.waited_s,
            kv_tokens=part.kv_tokens,
            snapshot_ram_bytes=part.bytes[Tier.RAM],
            snapshot_disk_bytes=part.bytes[Tier.DISK],
            memory_ram_bytes=in_ram,
            memory_disk_bytes=on_disk,
            waiting_for=self._lives.waiting_for(process),
        )


def _core(loop: RunLoop, now: float) -> CoreStats:
    part = _Part()
    for live in loop.live:
        part.add(live, now)
    core, traits, tally = loop.core, loop.core.traits, loop.tally
    # Only an engine that is a process of its own has more to tell than its run loop knows.
    engine = core.statistics() if isinstance(core, ProcessCore) else None
    bound = loop.policy.bound(len(loop.live), loop.machine)
    return CoreStats(
        number=loop.number,
        model=traits.model,
        device=traits.device,
        exactness=traits.exactness.value,
        policy=loop.policy.name,
        state=CoreState.GONE if loop.gone else CoreState.UP if loop.is_up else CoreState.DOWN,
        engine_pid=engine.pid if engine else 0,
        restarts=tally.restarts,
        remark=loop.gone,
        context_tokens=traits.context_tokens,
        lanes=traits.lanes,
        lanes_used=part.lanes,
        kv_tokens=traits.kv_tokens,
        kv_used_tokens=part.kv_tokens,
        prompts_waiting=engine.prepares_waiting if engine else 0,
        running=part.states[G.RUNNING],
        queued=part.states[G.QUEUED],
        suspended=part.states[G.SUSPENDED],
        blocked=part.states[G.BLOCKED],
        longest_wait_s=part.waited_s,
        wait_bound_tokens=bound.tokens,
        wait_bound=bound.why,
        prefilled_tokens=tally.prefilled,
        produced_tokens=tally.produced,
        switches=tally.switches,
    )
