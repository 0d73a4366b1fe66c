"""Labels at the gate: what a process knows decides what it may do, what it writes bears it on.

A label is durable no later than the reply by which the process learns what bears it, and than the
thing that was written. The first process is the operator's own hand: what it hands on it vouches
for, so it bears no label and is judged by none. Knows no room.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from aios.access.base import Act
from aios.access.carries import (
    BEARING,
    MAIL,
    PROCESS,
    TOOLS,
    UNLABELLED,
    Carried,
    Done,
    Place,
    beside_place,
    carried,
    mail_place,
    process_place,
)
from aios.access.labels import (
    ANSWERS,
    CONSEQUENCES,
    PLAIN,
    Going,
    Label,
    Objection,
    answer,
    join,
    joined,
    label,
    objection,
    shown,
)
from aios.access.plans import Made, fixes_all, made, names_all, places, used
from aios.errors import AiosError
from aios.journal import statements
from aios.journal.base import Change, Work
from aios.kernel.guard import flow_book, flow_rows
from aios.kernel.guard.flow_acts import JUDGED, Step, parts, steps, words_to_init
from aios.kernel.guard.flow_owed import Key, Owed
from aios.kernel.guard.flow_tools import FlowTools, InUse
from aios.kernel.guard.parts import Setting
from aios.kernel.process import INIT, Process
from aios.syscalls.access import Decision, PlannedAct, Verdict
from aios.syscalls.base import Syscall
from aios.syscalls.codec import encode
from aios.syscalls.file import ShareFile
from aios.syscalls.process import Exit, Receive, Send, Spawn
from aios.telemetry import events

TELLING = frozenset[type[Syscall[Any]]]({Exit, Send})
NO_WORDS = (None, "")
SPARE = 1_000  # labels of processes that may be no more, before it is looked which are
REMEDY = (
    "a human's yes; or a plan (access.plan) made before it heard of that; or a process that has "
    "not heard of it"
)


class Making(NamedTuple):
    """A call that is being made."""

    process: Process
    act: Act
    call: Syscall[Any]
    work: Work
    used: InUse | None  # of tools
    is_beside: bool  # its plan does not name it


class Flow:
    """The labels of everything, and the plans of processes."""

    def __init__(self, setting: Setting) -> None:
        self.book = flow_book.Book()
        self.plans: dict[int, tuple[PlannedAct, ...]] = {}
        self._terms_of = setting.terms_of
        self._monitor = setting.monitor
        self._table = setting.table
        self._bus = setting.bus
        self._clock = setting.environment.clock
        self._journal = setting.environment.journal
        self._tools = FlowTools(self.book, setting.terms_of)
        self.owed = Owed(self._journal, self._clock, self._row)
        self._said: dict[int, bytes] = {}  # by pid, what it told the first process last
        self._sweep_at = SPARE

    async def load(self) -> None:
        """What an earlier kernel knew of what still is."""
        self.owed.pulse.start("labels")
        if self._journal is None:
            return
        sweeps = (statements.LABELS_SWEEP, statements.PLANS_SWEEP)
        await self._journal.post([Change(one, ()) for one in sweeps])
        for row in await self._journal.read(statements.LABELS_ALL):
            self.book.restore(*flow_rows.label(row))
        for row in await self._journal.read(statements.PLANS_ALL):
            pid, plan = flow_rows.plan(row)
            self.plans[pid] = plan

    def label_of(self, process: Process) -> Label:
        """Of what a process knows."""
        return PLAIN if process.pid == INIT else self.book.of(process_place(process.pid))

    def shown(self, process: Process) -> str:
        """The same in words, for the audit."""
        return shown(self.label_of(process))

    def judge(self, process: Process, act: Act, call: Syscall[Any]) -> Verdict | None:
        if type(call) not in JUDGED or process.pid == INIT:
            return None
        found = self._objection(process, act, call)
        if found is None:
            return None
        decision = Decision.ASK if self._holds_up(found) else Decision.ALLOW
        return Verdict(decision=decision, rule=found.rule, reason=found.reason, remedy=REMEDY)

    def _holds_up(self, found: Objection) -> bool:
        policy = self._monitor.policy
        return policy.answering == "ask" if found.rule == ANSWERS else policy.labels == "enforce"

    def marks(self, process: Process) -> tuple[str, ...]:
        """Where what a process tells may come from, for whoever takes no label with it."""
        if self._monitor.policy.answering == "open":
            return ()
        return tuple(sorted(self.label_of(process).sources))

    def begin(
        self, process: Process, act: Act, call: Syscall[Any], work: Work
    ) -> "Carrying | None":
        kind = type(call)
        is_beside = bool(self.plans) and self._is_beside(process, call)
        is_judged = kind in JUDGED and process.pid != INIT
        if is_judged:
            self._tell(process, act, call)
            self._use(process, act, call, work)
            if kind in TELLING and words_to_init(process.parent, call) not in NO_WORDS:
                work.remember(lambda reply: self._say(process, call, reply))
        used = None
        if kind in TOOLS:
            known = self.label_of(process)
            if known == PLAIN and self._tools.is_plain(call):
                return None
            used, changed = self._tools.enter(process.agent, call, known)
            self.owed.post(changed)
        elif kind in UNLABELLED:
            return None
        carrying = Carrying(self, Making(process, act, call, work, used, is_beside))
        work.remember(carrying.committed)
        return carrying

    # What speaks against an act.

    def _objection(self, process: Process, act: Act, call: Syscall[Any]) -> Objection | None:
        """The first that no plan answers."""
        known = self.label_of(process)
        if known is PLAIN and not isinstance(call, ShareFile):
            return None
        against: list[tuple[Made, Going | None, Objection]] = [
            (step.made, step.going, found)
            for step in steps(process.agent, act, call, self._terms_of)
            if (found := objection(self._known(known, step), step.going)) is not None
        ]
        if (found := answer(known)) is not None and self._is_news(process, call):
            against.append((made(call), None, found))
        if not against:
            return None
        plan = self.plans.get(process.pid, ())
        planned = places(plan, [one for one, _, _ in against])
        for (one, going, found), place in zip(against, planned, strict=True):
            if place is None:
                return found
            if going is not None and not fixes_all(plan[place], one):
                unplanned = objection(self._heard_beside(process), going)
                if unplanned is not None:
                    return unplanned
        return None

    def _heard_beside(self, process: Process) -> Label:
        """Who may see what the process knows by acts that its plan does not name.

        A plan is consent to its receivers seeing what its own acts tell, and nothing else.
        """
        return label(readers=self.book.of(beside_place(process.pid)).readers)

    def _is_beside(self, process: Process, call: Syscall[Any]) -> bool:
        plan = self.plans.get(process.pid)
        return bool(plan) and not names_all(plan or (), map(made, parts(call)))

    def _is_news(self, process: Process, call: Syscall[Any]) -> bool:
        """Whether it tells the first process words that it has not told it just before."""
        words = words_to_init(process.parent, call)
        if words in NO_WORDS or self._monitor.policy.answering == "open":
            return False
        return self._said.get(process.pid) != _digest(words)

    def _say(self, process: Process, call: Syscall[Any], reply: object) -> Sequence[Change]:
        if not isinstance(reply, BaseException):
            self._said[process.pid] = _digest(words_to_init(process.parent, call))
        return ()

    def _known(self, known: Label, step: Step) -> Label:
        return joined([known, *map(self.book.of, step.shown)])

    def _tell(self, process: Process, act: Act, call: Syscall[Any]) -> None:
        """Where the policy only warns, somebody may be listening."""
        if self._monitor.policy.labels != "warn":
            return
        found = self._objection(process, act, call)
        if found is not None:
            self._bus.publish(
                events.LabelBroken(
                    at=self._clock.now(),
                    pid=process.pid,
                    agent=process.agent,
                    verb=act.verb,
                    object=act.object,
                    rule=found.rule,
                )
            )

    def _use(self, process: Process, act: Act, call: Syscall[Any], work: Work) -> None:
        """An act that was planned is done: what is left is known before it may take effect.

        Used up also by an act that needed no plan, and by one that then fails.
        """
        plan = self.plans.get(process.pid)
        if plan is None:
            return
        calls: list[Made] = [
            step.made
            for step in steps(process.agent, act, call, self._terms_of)
            if step.going.effect in CONSEQUENCES
        ]
        if words_to_init(process.parent, call) not in NO_WORDS:
            calls.append(made(call))
        taken = places(plan, calls)
        if not any(place is not None for place in taken):
            return
        self.plans[process.pid] = used(plan, taken)
        self.owed.post([process.pid])
        work.remember(lambda reply: [self.plan_row(process.pid)])

    def plan_row(self, pid: int) -> Change:
        """What is left of a plan now."""
        return flow_rows.planned(pid, self.plans.get(pid, ()))

    def _row(self, key: Key) -> Change:
        """What the journal is to know of a place or a plan, as they are now."""
        if isinstance(key, Place):
            return flow_rows.labelled(key, self.book.of(key))
        return self.plan_row(key)

    # What a call does to labels.

    def change(self, done: Done, making: Making) -> tuple[flow_book.Change, Sequence[Change]]:
        """What a call that is being committed does to labels, in RAM and in the journal."""
        if isinstance(done.call, Spawn):
            self._sweep()
        process, used = making.process, making.used
        known = self.label_of(process)
        happened = list(self._steps(done, process))
        told = PLAIN
        if used is not None:
            told = self._tools.told(used, done.reply)
            happened.append(Carried(given=self._tools.kept(used)))
        change = self.book.change(happened, join(known, told))
        heard = joined([told, *map(self._told, happened)])
        learnt = join(known, heard)
        rows = dict(change.will)
        if making.is_beside and heard.is_private:
            rows |= self.book.raised(beside_place(process.pid), heard).will
        place = process_place(process.pid)
        if process.pid != INIT and learnt != known:
            rows |= self.book.raised(place, learnt).will
        elif place in self.owed:
            rows.setdefault(place, known)
        return change, [flow_rows.labelled(*row) for row in rows.items()]

    def heard(self, making: Making, used: InUse) -> None:
        """A tool's error tells of what the tool has seen, too."""
        process, told = making.process, self._tools.told(used, None)
        learnt = join(self.label_of(process), told)
        places = set(self._tools.kept(used))
        if process.pid != INIT:
            places.add(process_place(process.pid))
            if making.is_beside and told.is_private:
                self.owed.post(self.book.raised(beside_place(process.pid), told).will)
        for place in places:
            self.owed.post(self.book.raised(place, learnt).will)

    def hears(self, process: Process, call: Syscall[Any], reply: object) -> None:
        """Of a tool that is being called: its reply is about to be written down by its caller."""
        if process.pid == INIT:
            return
        used = InUse(process.agent, call, PLAIN, frozenset())
        learnt = join(self.label_of(process), self._tools.told(used, reply))
        self.owed.post(self.book.raised(process_place(process.pid), learnt).will)

    def left(self, used: InUse) -> None:
        self._tools.leave(used)

    def _steps(self, done: Done, process: Process) -> Sequence[Carried]:
        happened = list(carried(done))
        is_last = not process.mail and not process.mail_due
        if isinstance(done.call, Receive) and is_last:  # Nothing waits whose label is still owed.
            happened.append(Carried(cleared=(mail_place(process.pid),)))
        return happened

    def _told(self, one: Carried) -> Label:
        told = self.book.told(one)
        return join(told, label({one.source})) if one.source else told

    def _sweep(self) -> None:
        """Forget the labels and plans of processes that nobody can name any more."""
        pids = {
            *self.book.names(PROCESS),
            *self.book.names(MAIL),
            *map(str, (*self.plans, *self._said)),
        }
        if len(pids) < self._sweep_at:
            return
        for pid in [int(pid) for pid in pids if self._table.get(int(pid)) is None]:
            for place in (process_place(pid), mail_place(pid), beside_place(pid)):
                if self.book.of(place) != PLAIN:
                    self.book.forget(place)
                    self.owed.post([place])
            self._said.pop(pid, None)
            if self.plans.pop(pid, None) is not None:
                self.owed.post([pid])
        self._sweep_at = 2 * len(self._table) + SPARE


def _digest(words: Any) -> bytes:
    return sha256(encode(words)).digest()


class Carrying:
    """One call that may change labels, from when it acts until it has ended."""

    __slots__ = ("_change", "_flow", "_making")

    def __init__(self, flow: Flow, making: Making) -> None:
        self._flow = flow
        self._making = making
        self._change: flow_book.Change | None = None

    def committed(self, reply: object) -> Sequence[Change]:
        """The record of the call's commit."""
        process, act, call, work = self._making[:4]
        is_plain = not self._flow.book and type(call) not in BEARING
        if is_plain or isinstance(reply, BaseException):
            return ()
        done = Done(process.pid, act.owner, call, reply, work.meant)
        self._change, rows = self._flow.change(done, self._making)
        return rows

    def settle(self, outcome: object) -> None:
        """The call has ended."""
        used = self._making.used
        if self._change is not None:
            self._flow.book.settle(self._change, is_done=not isinstance(outcome, BaseException))
        elif isinstance(outcome, AiosError) and used is not None:
            self._flow.heard(self._making, used)
        if used is not None:
            self._flow.left(used)
