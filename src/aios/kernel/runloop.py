"""The run loop of one core: wait for an event, tell the policy, carry out what it decides.

Nothing else decides anything. Knows nothing of processes but their pids.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aios.clock import Clock
from aios.context.snapshot import Tier
from aios.cores.base import (
    Advanced,
    Core,
    CoreEvent,
    Died,
    Exactness,
    Failed,
    Finished,
    Ready,
    Suspended,
)
from aios.errors import AiosError, CoreFailed, ShuttingDown, error_from
from aios.kernel.generations import GenerationState, LiveGeneration
from aios.scheduler.base import Decision, Evict, Left, Machine, Policy, Preempt, Start, Work
from aios.telemetry import events
from aios.telemetry.bus import Bus
from aios.telemetry.events import Event

G = GenerationState
GONE = 1 << 30


@dataclass(slots=True)
class Tally:
    """What a core has done so far: tokens, generations taken off their lanes, engines anew."""

    prefilled: int = 0
    produced: int = 0
    switches: int = 0
    restarts: int = 0


class RunLoop:
    """Joins one core and one policy.

    Orders to the core take effect in the order given, so a decision is treated as done when it is
    given. What the engine did of its own accord meanwhile arrives as events and is reconciled here.
    """

    def __init__(  # noqa: PLR0913 - what it is given
        self,
        core: Core,
        policy: Policy,
        clock: Clock,
        bus: Bus,
        *,
        number: int,
        crashes_max: int,
        ended: Callable[[LiveGeneration, str], None],
    ) -> None:
        self.core = core
        self.number = number  # no other loop of this kernel has had it
        self.policy = policy
        self._clock = clock
        self._bus = bus
        self._crashes_max = crashes_max
        self._ended = ended  # told every generation that is over, and by which outcome
        self._live: dict[str, LiveGeneration] = {}
        self._is_draining = False
        self._up = True  # the engine serves; orders given while it is down would be lost
        self.gone = ""  # why the engine will never serve again, if so
        self.tally = Tally()
        self._wake: asyncio.TimerHandle | None = None
        self._settled: Callable[[], None] | None = None  # tells `drain` that a stop was answered
        self._on: dict[type[CoreEvent], Callable[[Any], None]] = {
            Advanced: self._advanced,
            Finished: self._finished,
            Failed: self._failed,
            Suspended: self._suspended,
            Died: self._died,
            Ready: self._ready,
        }
        self._obey: dict[type[Decision], Callable[[Any], None]] = {
            Start: self._start,
            Preempt: self._preempt,
            Evict: self._evict,
        }

    # What the kernel asks.

    def submit(self, live: LiveGeneration) -> None:
        """Take a new generation, to be answered through its `reply`."""
        assert live.job.id not in self._live
        try:
            self.check_usable()
        except AiosError as error:
            live.fail(error)
            return
        self._live[live.job.id] = live
        self._tell(events.Submitted, live, prompt_tokens=live.job.prompt_tokens)
        if live.state is not G.BLOCKED:
            self.policy.ready(live.job_now)
        self._carry_out()

    def check_usable(self) -> None:
        """Raise why it takes no more generations, if so."""
        if self.gone:
            raise CoreFailed(f"the engine is gone: {self.gone}")
        if self._is_draining:
            raise ShuttingDown("the kernel is stopping; it takes no more calls")

    def retire(self, why: CoreFailed) -> None:
        """End every generation, and take none any more."""
        self.gone = why.message
        for live in self.live:
            self.core.drop(live.job.id, live.snapshot)
            self._end(live, Left.CANCELLED, why)

    def cancel(self, generation_id: str, error: AiosError) -> None:
        """End a generation with an error; no-op where it has ended."""
        live = self._live.get(generation_id)
        if live is not None:
            self.core.drop(live.job.id, live.snapshot)
            self._end(live, Left.CANCELLED, error)
            self._carry_out()

    def abandon(self, generation_id: str, error: AiosError) -> None:
        """As `cancel`, but what the core keeps for the generation stays, to be asked for again."""
        live = self._live.get(generation_id)
        if live is not None:
            self._end(live, Left.CANCELLED, error)

    def block(self, generation_id: str) -> None:
        """Take a generation off its lanes and from the policy, because its process is paused."""
        live = self._live.get(generation_id)
        if live is None or live.state is G.BLOCKED:
            return
        self._block(live)
        self._carry_out()

    def unblock(self, generation_id: str) -> None:
        """Give a blocked generation back to the policy."""
        live = self._live.get(generation_id)
        if live is not None and live.state is G.BLOCKED:
            live.move(G.QUEUED, self._clock.now())
            self.policy.ready(live.job_now)
            self._carry_out()

    def replace(self, policy: Policy) -> None:
        """Another policy decides from now on; it is told of all that can run, as it arrived.

        What runs is blocked and given back, as a pause and its end do: the old policy's decisions
        are undone by moves that are legal at any moment, and the new one begins with nothing but
        ready jobs. The price is one context switch for each job on lanes or in DEVICE.
        """
        moved = [live for live in self.live if live.state is not G.BLOCKED]
        moved.sort(key=lambda live: live.job.arrived)
        for live in moved:
            self._block(live)
        self.policy = policy
        for live in moved:
            live.move(G.QUEUED, self._clock.now())
            policy.ready(live.job_now)
        self._carry_out()

    async def drain(self, limit_s: float) -> list[LiveGeneration]:
        """Suspend everything to disk and return what was live. From now on nothing is taken."""
        self._is_draining = True
        for one in self.live:
            in_ram = one.snapshot is not None and one.snapshot.tier is Tier.RAM
            held = one.state is G.RUNNING or one.resting is Tier.DEVICE or in_ram
            if one.state is not G.BLOCKED:
                self.policy.left(one.job.id, Left.BLOCKED)
                one.move(G.BLOCKED, self._clock.now())
            if held and self._up:
                self._rest(one, Tier.DISK)
        done = asyncio.Event()
        self._settled = done.set
        try:
            async with asyncio.timeout(limit_s):
                while self._up and any(one.stops_open for one in self._live.values()):
                    done.clear()
                    await done.wait()
        except TimeoutError:
            pass  # What was not written in time goes on from its token ids.
        return self.live

    async def run(self) -> None:
        """Serve until the core is closed."""
        async for batch in self.core.events():
            for event in batch:
                self._on[type(event)](event)
            self._carry_out()

    def find(self, generation_id: str) -> LiveGeneration | None:
        """A live generation of this core."""
        return self._live.get(generation_id)

    @property
    def live(self) -> list[LiveGeneration]:
        """Every generation that is owed its reply."""
        return list(self._live.values())

    @property
    def load(self) -> int:
        """Live generations, for choosing among cores of one model; one that is gone has no room."""
        return GONE if self.gone else len(self._live)

    @property
    def is_up(self) -> bool:
        """Whether the engine serves."""
        return self._up and not self.gone

    @property
    def machine(self) -> Machine:
        """The core's room, as policies see it."""
        traits = self.core.traits
        return Machine(
            lanes=traits.lanes, kv_tokens=traits.kv_tokens, block_tokens=traits.block_tokens
        )

    # What the core tells.

    def _advanced(self, event: Advanced) -> None:
        live = self._live.get(event.id)
        if live is None:
            return
        live.advance(event)
        self.tally.prefilled += event.prefilled
        self.tally.produced += event.produced
        work = Work(prefilled=event.prefilled, produced=event.produced, kv_tokens=event.kv_tokens)
        self.policy.served(live.job.id, work)

    def _finished(self, event: Finished) -> None:
        live = self._live.get(event.id)
        if live is None:
            return
        exact = self.core.traits.exactness is Exactness.BITWISE
        live.complete(event, now=self._clock.now(), exact=exact)
        self._forget(live, Left.DONE, "done")

    def _failed(self, event: Failed) -> None:
        live = self._live.get(event.id)
        if live is not None:
            self._end(live, Left.FAILED, error_from(event.code, event.message))

    def _suspended(self, event: Suspended) -> None:
        live = self._live.get(event.id)
        if live is None:
            return
        if event.snapshot.tier is not Tier.DEVICE:
            live.rest(event.snapshot)
        if event.asked:
            live.stops_open -= 1
            assert live.stops_open >= 0
            if live.resting is not None:
                live.resting = event.snapshot.tier  # which may be another than was ordered
            if live.start_due and not live.stops_open:
                self._begin(live)
        elif live.stops_open == 0:
            self._lost(live)  # otherwise an order of ours overtook it and settles the matter
        self._settle()

    def _died(self, event: Died) -> None:
        self._up = False
        self.gone = self.gone or (event.reason if event.final else "")  # Also retired for good.
        self._bus.publish(events.CoreDied(at=self._clock.now(), pid=0, reason=event.reason))
        for live in list(self._live.values()):
            live.stops_open = 0
            live.start_due = False
            ran = live.state is G.RUNNING
            live.crashes += ran
            if event.final:
                self._end(live, Left.FAILED, CoreFailed(f"the engine is gone: {event.reason}"))
            elif live.crashes > self._crashes_max:
                what = f"the engine died {live.crashes} times while this ran: {event.reason}"
                self._end(live, Left.FAILED, CoreFailed(what))
            elif ran or live.resting is Tier.DEVICE:
                self._lost(live)
        self._settle()

    def _ready(self, event: Ready) -> None:
        self.tally.restarts += not self._up
        self._up = True

    # What the policy decides.

    def _carry_out(self) -> None:
        if not self._up:
            return
        now = self._clock.now()
        for decision in self.policy.decide(now, self.machine):
            self._obey[type(decision)](decision)
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        wakes = self.policy.wakes(now)
        if wakes is not None:
            loop = asyncio.get_running_loop()
            self._wake = loop.call_later(max(0.0, wakes - now), self._carry_out)

    def _start(self, decision: Start) -> None:
        live = self._live.get(decision.job)
        if live is None:
            return
        now = self._clock.now()
        resumed = live.started_at is not None
        live.move(G.RUNNING, now)
        self._tell(events.Started, live, branches=live.job.branches, resumed=resumed)
        # Tokens of the last slice may be on their way until its stop is answered; only then does
        # `progress` hold all that was delivered.
        live.start_due = live.stops_open > 0
        if not live.start_due:
            self._begin(live)

    def _preempt(self, decision: Preempt) -> None:
        live = self._live.get(decision.job)
        if live is not None:
            live.move(G.SUSPENDED, self._clock.now())
            self._rest(live, decision.to)

    def _evict(self, decision: Evict) -> None:
        live = self._live.get(decision.job)
        if live is not None:
            self._rest(live, decision.to)

    # Small moves.

    def _block(self, live: LiveGeneration) -> None:
        self.policy.left(live.job.id, Left.BLOCKED)
        on_device = live.state is G.RUNNING or live.resting is Tier.DEVICE
        live.move(G.BLOCKED, self._clock.now())
        if on_device:
            self._rest(live, Tier.RAM)

    def _begin(self, live: LiveGeneration) -> None:
        live.start_due = False
        try:
            self.core.start(live.generation, live.progress)
        except AiosError as error:
            self.core.drop(live.job.id, live.snapshot)
            self._end(live, Left.FAILED, error)

    def _rest(self, live: LiveGeneration, to: Tier) -> None:
        """Order it into a tier; the answer is one `Suspended`, or the generation's end."""
        live.start_due = False
        live.resting = to
        live.stops_open += 1
        self._tell_stopped(live, to.value)
        self.core.stop(live.job.id, to, live.snapshot)

    def _lost(self, live: LiveGeneration) -> None:
        """Its lanes or its place in DEVICE are gone; it stays ready unless it is blocked."""
        live.resting = None
        live.kv_tokens = 0
        if live.state in (G.BLOCKED, G.QUEUED):
            return
        live.move(G.QUEUED, self._clock.now())
        self._tell_stopped(live, "lost")
        self.policy.lost(live.job.id)

    def _end(self, live: LiveGeneration, why: Left, error: AiosError) -> None:
        live.fail(error)
        self._forget(live, why, error.code)

    def _forget(self, live: LiveGeneration, why: Left, outcome: str) -> None:
        del self._live[live.job.id]
        self.policy.left(live.job.id, why)
        self._tell(events.Ended, live, outcome=outcome, produced=live.tokens_out)
        self._ended(live, outcome)
        self._settle()

    def _tell_stopped(self, live: LiveGeneration, tier: str) -> None:
        self.tally.switches += 1
        self._tell(events.Stopped, live, tier=tier)

    def _tell(self, kind: Callable[..., Event], live: LiveGeneration, **facts: Any) -> None:
        now = self._clock.now()
        self._bus.publish(kind(at=now, pid=live.job.pid, generation=live.job.id, **facts))

    def _settle(self) -> None:
        if self._settled is not None:
            self._settled()
