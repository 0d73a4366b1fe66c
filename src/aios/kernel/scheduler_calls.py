"""Handlers of the scheduler family: another policy while calls run, and the waits under each."""

from collections import deque
from typing import NamedTuple

from aios import scheduler
from aios.clock import Clock
from aios.journal.base import Work
from aios.kernel.cores import Cores
from aios.kernel.generations import LiveGeneration
from aios.kernel.process import Process
from aios.syscalls.scheduling import PolicyWaits, SchedulerInfo, SetPolicy, ShowScheduler
from aios.telemetry import events
from aios.telemetry.bus import Bus

CALLS_MAX = 1_000  # that are remembered of each policy


class _Waited(NamedTuple):
    seconds: float
    switches: int


class SchedulerCalls:
    """Who may change the policy is the gate's to say."""

    def __init__(self, cores: Cores, clock: Clock, bus: Bus) -> None:
        self._cores = cores
        self._policy = cores.loops[0].policy.name
        self._clock = clock
        self._bus = bus
        self._options: dict[str, int | float] = {}
        self._waited: dict[str, deque[_Waited]] = {}  # by policy, in order of first use

    async def show(self, process: Process, call: ShowScheduler) -> SchedulerInfo:
        return self._info()

    async def set_policy(self, process: Process, call: SetPolicy, work: Work) -> SchedulerInfo:
        told = {"slice_tokens": call.slice_tokens, "age_s": call.age_s}
        options = {name: value for name, value in told.items() if value is not None}
        self._cores.schedule(lambda: scheduler.make(call.policy, **options))
        self._options, self._policy = options, call.policy
        now = self._clock.now()
        self._bus.publish(events.PolicyChanged(at=now, pid=process.pid, policy=call.policy))
        reply = self._info()
        await work.commit(reply)
        return reply

    def ended(self, live: LiveGeneration) -> None:
        """A generation is over; one that never had a lane says nothing of waits."""
        if live.started_at is not None:
            waited = self._waited.setdefault(self._policy, deque(maxlen=CALLS_MAX))
            waited.append(_Waited(live.started_at - live.job.arrived, live.switches))

    def _info(self) -> SchedulerInfo:
        slice_tokens = self._options.get("slice_tokens")
        return SchedulerInfo(
            policy=self._policy,
            slice_tokens=None if slice_tokens is None else int(slice_tokens),
            age_s=self._options.get("age_s"),
            known=tuple(scheduler.POLICIES),
            waits=tuple(_waits(policy, waited) for policy, waited in self._waited.items()),
        )


def _waits(policy: str, waited: deque[_Waited]) -> PolicyWaits:
    seconds = sorted(one.seconds for one in waited)
    return PolicyWaits(
        policy=policy,
        calls=len(seconds),
        p50_s=seconds[len(seconds) // 2],
        p90_s=seconds[len(seconds) * 9 // 10],
        longest_s=seconds[-1],
        switches=sum(one.switches for one in waited),
    )
