"""Plays a machine to a scheduling policy in pure virtual time, and is its referee.

A `Drive` reports the facts of a workload to one policy, carries out what it decides, and asserts at
every decision that it was a legal one. It costs microseconds per step, so whole evenings of load
are compared in seconds. Knows policies only by their protocol, and no kernel and no core.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aios.context.snapshot import Tier
from aios.scheduler.base import (
    Decision,
    Evict,
    Job,
    Left,
    Machine,
    Policy,
    Preempt,
    Start,
    Work,
)
from tests.scheduler.life import Costs, Life, Load, State, Tally, Waited


@dataclass(frozen=True, slots=True)
class _Report:
    life: Life
    work: Work
    is_last: bool


class Drive:
    """One policy on one machine with one workload."""

    def __init__(
        self, policy: Policy, machine: Machine, loads: Sequence[Load], costs: Costs | None = None
    ) -> None:
        self.policy = policy
        self.machine = machine
        self.costs = costs or Costs()
        self.now = 0.0
        self.tally = Tally()
        self.trace: list[tuple[float, Decision]] = []
        self.lives = {load.id: Life(load, number) for number, load in enumerate(loads)}
        assert len(self.lives) == len(loads), "ids are unique"
        in_order = sorted(self.lives.values(), key=lambda life: (life.load.arrives, life.number))
        self._coming = in_order[::-1]
        self._left = len(loads)
        self._here: dict[str, Life] = {}  # ready, running or resting
        self._on: dict[str, Life] = {}  # really on lanes, earliest started first
        self._device: dict[str, Life] = {}  # really resting there, longest resting first
        self._late: list[_Report] = []
        self._pause = 0.0  # seconds that moves of KV add to the next step

    def run(self, steps_max: int = 1_000_000) -> Sequence[Life]:
        """Play until every job is gone; tells their lives in order of the workload."""
        while self._left:
            assert self.tally.steps < steps_max, f"{self._left} jobs left after {steps_max} steps"
            self.step()
        return list(self.lives.values())

    def step(self) -> None:
        """Let arrivals in, then do one step of work, or jump to when something happens next."""
        self._let_in()
        self.decide()
        self.tally.steps += 1
        if self._on or self._late:
            self._work()
        else:
            self._jump()

    def decide(self) -> None:
        """Ask the policy, and do what it says."""
        for decision in self.policy.decide(self.now, self.machine):
            self._carry_out(decision)
        self._referee()

    def cancel(self, name: str) -> None:
        """A job ends now, whatever its state."""
        life = self.lives[name]
        self._forget(life)
        self.policy.left(life.job, Left.CANCELLED)
        self._end(life, Left.CANCELLED)

    def block(self, name: str) -> None:
        """A job's process is paused: it is taken from the policy, until `unblock`."""
        life = self.lives[name]
        self._take_off(life, keeps=self.costs.keeps_kv)
        self._forget(life)
        self.policy.left(life.job, Left.BLOCKED)
        life.state = State.BLOCKED

    def unblock(self, name: str) -> None:
        life = self.lives[name]
        assert life.state is State.BLOCKED
        self._enter(life)

    def lose(self, name: str) -> None:
        """The machine takes a job off by itself, with a snapshot."""
        life = self.lives[name]
        self._take_off(life, keeps=self.costs.keeps_kv)
        self._became_ready(life)
        self.policy.lost(life.job)

    def is_held(self, name: str) -> bool:
        """Whether the machine holds a job's KV, on lanes or at rest."""
        return name in self._on or name in self._device

    def die(self) -> None:
        """The engine dies: everybody loses lanes and KV at once."""
        late, self._late = self._late, []
        for report in late:
            self._tell(report)
        for life in [*self._on.values(), *self._device.values()]:
            self._take_off(life, keeps=False)
        for life in self._here.values():
            if life.state in (State.RUNNING, State.RESTING):
                self._became_ready(life)
                self.policy.lost(life.job)

    # --- the machine ---

    def _let_in(self) -> None:
        while self._coming and self._coming[-1].load.arrives <= self.now:
            life = self._coming.pop()
            if life.state is State.COMING:
                life.todo = life.load.prompt_tokens
                self._enter(life)

    def _enter(self, life: Life) -> None:
        load = life.load
        self._here[load.id] = life
        self._became_ready(life)
        self.policy.ready(
            Job(
                id=life.job,
                pid=load.pid,
                priority=load.priority,
                arrived=self.now,
                prompt_tokens=life.size,
                tokens_max=load.answer_tokens - life.produced,
                branches=load.branches,
            )
        )

    def _jump(self) -> None:
        wakes = self.policy.wakes(self.now)
        moments = [] if wakes is None else [wakes]
        moments += [self._coming[-1].load.arrives] if self._coming else []
        blocked = any(life.state is State.BLOCKED for life in self.lives.values())
        assert moments or blocked or not self._here, (
            f"nobody runs, nothing is to come, and these are ready: {list(self._here)}"
        )
        self.now = max(self.now, min(moments, default=self.now))

    def _work(self) -> None:
        """One step: KV first, then prefill in order of start, then a token for each branch."""
        self._fit()
        left, prefilled, decodes = self.costs.prefill_chunk, 0, False
        reports = []
        for life in list(self._on.values()):
            share = min(life.todo, left)
            left -= share
            prefilled += share
            decodes = decodes or not life.todo
            reports.append(self._advance(life, share))
        self.now += prefilled / self.costs.prefill_per_s + decodes * self.costs.step_s + self._pause
        self._pause = 0.0
        if self.costs.reports_late:
            self._late, reports = reports, self._late
        for report in reports:
            self._tell(report)

    def _advance(self, life: Life, share: int) -> _Report:
        life.todo -= share
        gained = 0
        if not life.todo:
            life.produced += 1
            gained = life.load.branches
        life.served += share + gained
        self.tally.served += share + gained
        is_last = life.produced == life.load.answer_tokens
        kv = self._held(life)
        if is_last:
            self._forget_place(life)
        return _Report(life, Work(prefilled=share, produced=gained, kv_tokens=kv), is_last)

    def _tell(self, report: _Report) -> None:
        life = report.life
        if life.state is State.BLOCKED and report.is_last:
            self._end(life, Left.DONE)
        if life.state in (State.GONE, State.BLOCKED):
            return
        self.policy.served(life.job, report.work)
        if report.is_last:
            self._forget(life)
            self.policy.left(life.job, Left.DONE)
            self._end(life, Left.DONE)
        self.decide()

    def _fit(self) -> None:
        """As a core does: who rests goes first, then who started last, until the step fits."""
        room = self.machine.kv_tokens - self.costs.kv_hidden
        while self._held_after_step() > room and len(self._on) + len(self._device) > 1:
            self.tally.shortages += 1
            resting = next(iter(self._device), None)
            self.lose(resting if resting is not None else next(reversed(self._on)))

    def _held_after_step(self) -> int:
        held = sum(self._held(life, ahead=life.load.branches) for life in self._on.values())
        return held + sum(self._held(life) for life in self._device.values())

    def _held(self, life: Life, ahead: int = 0) -> int:
        block = self.machine.block_tokens
        return -(-(life.size - life.todo + ahead) // block) * block

    # --- decisions ---

    def _carry_out(self, decision: Decision) -> None:
        self.trace.append((self.now, decision))
        self.tally.decisions += 1
        life = self.lives[decision.job]
        if isinstance(decision, Start):
            self._start(life)
        elif isinstance(decision, Preempt):
            assert life.state is State.RUNNING, f"{decision} while it is {life.state}"
            self._stop(life, decision.to)
            self._became_ready(life, State.RESTING if decision.to is Tier.DEVICE else State.READY)
            life.switches += 1
        else:
            assert isinstance(decision, Evict)
            assert life.state is State.RESTING, f"{decision} while it is {life.state}"
            assert decision.to is not Tier.DEVICE
            life.state = State.READY
            if life.load.id in self._device:
                self._stop(life, decision.to)

    def _start(self, life: Life) -> None:
        assert life.state in (State.READY, State.RESTING), f"start while {life.state}"
        waited = self.tally.served - life.served - life.ready_at
        self.tally.waits.append(Waited(life.load.id, life.ahead, waited))
        life.state = State.RUNNING
        if life.first_start is None:
            life.first_start = self.now
        if life.produced < life.load.answer_tokens:  # else its end is still to be reported
            if life.load.id not in self._device and life.has_kv:
                self._move(life)
            self._device.pop(life.load.id, None)
            self._on[life.load.id] = life
            life.is_on = life.has_kv = True

    def _stop(self, life: Life, to: Tier) -> None:
        if not life.is_on and life.load.id not in self._device:
            return
        if to is Tier.DEVICE:
            self._forget_place(life)
            self._device[life.load.id] = life
        else:
            self._take_off(life, keeps=self.costs.keeps_kv)

    def _take_off(self, life: Life, *, keeps: bool) -> None:
        if not life.is_on and life.load.id not in self._device:
            return
        self._forget_place(life)
        life.has_kv = keeps
        if keeps:
            self._move(life)
        else:
            life.todo = life.size

    def _move(self, life: Life) -> None:
        tokens = self._held(life)
        self.tally.moved += tokens
        self._pause += tokens / self.costs.move_per_s

    # --- books of the referee ---

    def _became_ready(self, life: Life, state: State = State.READY) -> None:
        life.state = state
        life.ready_at = self.tally.served - life.served
        life.ahead = len(self._here) - 1

    def _forget_place(self, life: Life) -> None:
        life.is_on = False
        self._on.pop(life.load.id, None)
        self._device.pop(life.load.id, None)

    def _forget(self, life: Life) -> None:
        self._forget_place(life)
        self._here.pop(life.load.id, None)

    def _end(self, life: Life, why: Left) -> None:
        assert life.state is not State.GONE
        life.state, life.left, life.ended = State.GONE, why, self.now
        self._left -= 1

    def _referee(self) -> None:
        """What must hold after every decision, whatever the policy."""
        lanes = sum(life.load.branches for life in self._on.values())
        assert lanes <= self.machine.lanes, f"{lanes} branches on {self.machine.lanes} lanes"
        holders = [*self._on.values(), *self._device.values()]
        if len(holders) > 1 and not self.costs.reports_late:
            held = sum(self._held(life) for life in holders)
            assert held <= self.machine.kv_tokens, f"{held} of {self.machine.kv_tokens} KV tokens"
