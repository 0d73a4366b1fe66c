"""The guard in the gate: from a call to the act it is, through monitor, labels, approval, budget.

A call about the caller's own things that no line could concern costs two look-ups, and nothing is
made for it. Any other becomes an entry, which is left when the call has ended. A call that waited
is judged again before it acts: rights may have gone meanwhile. Knows no room and no wire.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from aios.access import explain
from aios.access.acts import ACTS, act_of, strongest
from aios.access.base import Act
from aios.access.grants import Grants
from aios.access.monitor import Judged, Question
from aios.access.policy import Policy
from aios.access.standing import Relation, Standing
from aios.errors import AiosError, Denied, NotFound, QuotaExceeded
from aios.journal.base import Change, Work
from aios.kernel.guard import rights_rows
from aios.kernel.guard.base import Carrying, Consent, Flow, Hold, Ledger
from aios.kernel.guard.missing import missing
from aios.kernel.guard.parts import Parts, Setting
from aios.kernel.guard.questions import Questions
from aios.kernel.process import INIT, Process
from aios.syscalls.access import Decision, Verdict
from aios.syscalls.base import Syscall

Perform = Callable[[Process, Any, Work, str | None], Awaitable[Any]]
Kept = tuple[Act, Verdict, str | None]  # of an entry: what was judged, and as whom it acts
STANDINGS_MAX = 300_000  # agents' standings that are remembered
KEPT_MAX = 20_000


@dataclass(slots=True)
class Entry:
    """A call on its way through the gate."""

    process: Process
    call: Syscall[Any]
    act: Act
    verdict: Verdict
    as_owner: str | None  # the agent as which it is carried out; None: the caller itself
    uses: tuple[str, ...]  # capabilities of which it takes a use
    is_ready: bool = False  # nothing is left to be waited for
    consents: Mapping[str, Consent | None] | None = None  # a human's, by the rule that asked
    hold: Hold | None = None
    topping_up: Awaitable[Hold] | None = None
    carrying: Carrying | None = None


class Guard:
    """One for all processes. `resumed` waits while a process is paused."""

    def __init__(self, setting: Setting, resumed: Callable[[Process], Awaitable[None]]) -> None:
        self._monitor = setting.monitor
        self.grants = setting.monitor.grants
        self._table = setting.table
        self._utc = setting.environment.clock.utc
        self._resumed = resumed
        self._standings: dict[str, Standing] = {}  # of agents; forgotten when rights change
        self._kept: dict[tuple[object, ...], Kept] = {}  # by lasting capabilities; likewise
        self._kept_at = -1  # the grants' changes when these were judged
        self._first = setting.monitor.first()
        self._parts = Parts()
        self._flow: Flow | None = None  # none where the policy wants no labels
        self._questions = Questions(self._table, self._utc, self._parts)
        self._is_bare = True
        self.is_again: Callable[[Process, Syscall[Any], Work], bool] = lambda *call: False
        """Whether a call was begun before and will only be told of: that needs nobody's yes."""

    def fit(self, parts: Parts) -> None:
        """Take what the kernel was given beside the monitor; once, before the first call."""
        self._parts = parts
        self._questions = Questions(self._table, self._utc, parts)
        self.forget()

    def forget(self) -> None:
        """Rights have changed: from now on every call is judged by what they are now."""
        self._standings.clear()
        self._kept.clear()
        self._first = self._monitor.first()
        parts = self._parts
        self._flow = parts.flow if self._monitor.policy.labels != "off" else None
        self._is_bare = self._flow is None and parts.ledger is None and parts.witness is None

    def reload(self, policy: Policy) -> None:
        """Another policy holds, for calls that wait too."""
        self._monitor.reload(policy)
        self.forget()

    def admit(self, process: Process, call: Syscall[Any]) -> Entry | None:
        """Raise what refuses the call. None: it may act at once, and nothing need be told after."""
        kind = type(call)
        standing = self._standing(process)
        verdict = standing.quick.get(kind)
        row = ACTS[kind]
        if verdict is None or not (
            (row.owner is None or row.owner(call) in ("", process.agent))
            and (
                not row.by_pid or self._table.is_above(process, call.pid)  # type: ignore[attr-defined]  # the row says so
            )
        ):
            return self._entered(self._judged(process, call))
        if self._is_bare:
            return None
        if kind in self._parts.effects or row.parts is not None:
            return self._entered(self._judged(process, call))
        act = act_of(row, call, process.agent)
        return self._entered(Entry(process, call, act, verdict, None, ()))

    def would_let(self, process: Process, call: Syscall[Any]) -> bool:
        """Whether the call would not be refused for want of a right. Nothing is noted of it."""
        _, judged, _ = self._worst(process, call, self._standing(process))
        return judged.decision is not Decision.DENY

    def lets(self, process: Process, call: Syscall[Any]) -> bool:
        """Whether it has the right, and no line of the policy asks a human."""
        _, judged, _ = self._worst(process, call, self._standing(process))
        return judged.decision is Decision.ALLOW

    def hears(self, process: Process, call: Syscall[Any], reply: object) -> None:
        """What a tool told is about to be kept, before its call has ended."""
        if self._flow is not None:
            self._flow.hears(process, call, reply)

    def holds_up(self, process: Process, call: Syscall[Any]) -> bool:
        """Whether a human is asked of this because of what the process has heard."""
        act = act_of(ACTS[type(call)], call, process.agent)
        found = None if self._flow is None else self._flow.judge(process, act, call)
        return found is not None and found.decision is Decision.ASK

    def marks(self, process: Process) -> tuple[str, ...]:
        """Where what it tells may come from, beside those who are trusted."""
        return () if self._flow is None else self._flow.marks(process)

    async def through(self, entry: Entry, work: Work, perform: Perform) -> Any:
        """Wait until the call may act, let it act, and settle what that came to."""
        if not entry.is_ready:
            entry = await self.ready(entry, work)
        self.begin(entry, work)
        outcome: object = None
        try:
            outcome = await perform(entry.process, entry.call, work, entry.as_owner)
        except BaseException as error:
            outcome = error
            raise
        finally:
            self.leave(entry, work, outcome)
        return outcome

    async def ready(self, entry: Entry, work: Work) -> Entry:
        """Wait for a human's yes and for budget. What was waited for is judged again.

        A yes is to the rule that asked: another one that came up meanwhile is another question.
        """
        consents: dict[str, Consent | None] = {}  # none of what is only told of
        hold: Hold | None = None
        try:
            while not entry.is_ready:
                if entry.topping_up is not None:
                    hold = await entry.topping_up
                else:
                    consents[entry.verdict.rule] = await self._ask(entry, work)
                await self._resumed(entry.process)
                again = self._judged(entry.process, entry.call)
                again.hold, again.consents = hold, consents
                entry = self._entered(again)
        except BaseException as error:
            for one in (hold, *consents.values()):
                if one is not None:
                    one.settle(error)
            raise
        return entry

    def begin(self, entry: Entry, work: Work) -> None:
        """The uses it takes are set aside: gone in the commit of what the call does, or before
        it does anything where that is before any commit."""
        if entry.uses:
            self.grants.set_aside(entry.uses)
            if ACTS[type(entry.call)].acts_first:
                work.stake(Uses(self.grants, entry.uses))
            else:
                work.extend(rights_rows.used(id) for id in entry.uses)
        if self._parts.witness is not None:
            self._parts.witness.begins(entry.act, work)
        if self._flow is not None:
            entry.carrying = self._flow.begin(entry.process, entry.act, entry.call, work)
        if entry.hold is not None:
            entry.hold.bind(work)

    def leave(self, entry: Entry, work: Work, outcome: object) -> None:
        """The call has ended. Its uses are used up where it was done, or may have been."""
        if entry.uses and ACTS[type(entry.call)].acts_first:
            if not work.has_begun:
                self.grants.give_back(entry.uses)
        elif entry.uses:
            was_done = work.is_durable or (work.is_committed and not isinstance(outcome, AiosError))
            self.grants.use_up(entry.uses) if was_done else self.grants.give_back(entry.uses)
        for one in (entry.hold, *(entry.consents or {}).values(), entry.carrying):
            if one is not None:
                one.settle(outcome)

    # From a call to its entry.

    def _standing(self, process: Process) -> Standing:
        if process.pid == INIT:
            return self._first
        standing = self._standings.get(process.agent)
        if standing is None:
            if len(self._standings) >= STANDINGS_MAX:
                self._standings.clear()
            standing = self._standings[process.agent] = self._monitor.standing(process.agent)
        return standing

    def _judged(self, process: Process, call: Syscall[Any]) -> Entry:
        """The entry of a call that is allowed, or of which a human is asked."""
        if self._kept_at != self.grants.changes:
            self._kept.clear()
            self._kept_at = self.grants.changes
        place = self._place(process, call)
        kept = self._kept.get(place)
        if kept is not None:
            return Entry(process, call, *kept, ())
        standing = self._standing(process)
        asked, judged, uses = self._worst(process, call, standing)
        if judged.decision is Decision.ALLOW:
            verdict = Verdict(decision=Decision.ALLOW, rule=judged.rule)
        else:
            verdict = explain.verdict(self._monitor, standing, asked, judged)
        if judged.decision is Decision.DENY:
            self._note(process, asked.act, call, verdict)
            raise self._refusal(standing, asked, verdict)
        is_away = asked.relation is not Relation.OWN and not judged.is_lent
        as_owner = asked.act.owner if is_away and asked.row.owner is not None else None
        if place and judged.capability is not None and self.grants.lasts(judged.capability):
            if len(self._kept) >= KEPT_MAX:
                self._kept.clear()
            self._kept[place] = (asked.act, verdict, as_owner)
        return Entry(process, call, asked.act, verdict, as_owner, uses)

    def _place(self, process: Process, call: Syscall[Any]) -> tuple[object, ...]:
        """What a judgement by a lasting capability holds for; empty where that is no one thing."""
        kind = type(call)
        row = ACTS[kind]
        if row.owner is None or row.object is None or row.second is not None:
            return ()
        if row.parts is not None or kind in self._parts.effects:
            return ()
        return (process.agent, kind, row.owner(call), row.object(call))

    def _worst(
        self, process: Process, call: Syscall[Any], standing: Standing
    ) -> tuple[Question, Judged, tuple[str, ...]]:
        """Of all acts that the call is: the first that is denied, else one that is asked of a
        human, else the call's own; as the act of the whole call. And what they all use."""
        questions = self._questions.of(process, call)
        if len(questions) == 1:
            one = self._monitor.judge(standing, questions[0])
            return questions[0], one, self._uses(one)
        judged = [self._monitor.judge(standing, one) for one in questions]
        at = min(range(len(judged)), key=lambda place: _WORST.index(judged[place].decision))
        whole = questions[0].act._replace(effect=strongest([one.act.effect for one in questions]))
        is_denied = judged[at].decision is Decision.DENY
        asked = questions[at] if is_denied else questions[0]._replace(act=whole)
        uses = {id for one in judged for id in self._uses(one)}
        return asked, judged[at], tuple(sorted(uses))

    def _uses(self, judged: Judged) -> tuple[str, ...]:
        """The capabilities that an act takes a use of."""
        one = judged.capability
        return () if one is None else self.grants.limited(one)

    # What the parts are asked and told.

    def _entered(self, entry: Entry) -> Entry:
        """Ask what answers at once; what must be waited for is left to `ready`."""
        process, call, act = entry.process, entry.call, entry.act
        parts = self._parts
        if self._flow is not None and (found := self._flow.judge(process, act, call)) is not None:
            self._object(entry, found)
        if parts.ledger is not None and (found := parts.ledger.judge(process, act, call)):
            self._object(entry, found)
        if entry.verdict.decision is Decision.ASK and entry.verdict.rule not in (
            entry.consents or ()
        ):
            self._note(process, act, call, entry.verdict)
            return entry
        held: Hold | None = None
        if parts.ledger is not None and entry.hold is None:
            hold = self._hold(parts.ledger, entry)
            if hold is not None:
                if isinstance(hold, Awaitable):
                    entry.topping_up = hold
                    return entry
                entry.hold = held = hold
        entry.is_ready = True
        if entry.verdict.decision is Decision.ASK:
            rule = entry.verdict.rule
            why = "yes" if (entry.consents or {})[rule] else "begun before"
            entry.verdict = Verdict(decision=Decision.ALLOW, rule=f"{rule}: {why}")
        try:
            self._note(process, act, call, entry.verdict)
        except AiosError as problem:
            if held is not None:
                held.settle(problem)
            raise
        return entry

    def _object(self, entry: Entry, found: Verdict) -> None:
        """Take in what labels, or what it costs, say against an act that rights allow."""
        if found.decision is Decision.DENY:
            self._note(entry.process, entry.act, entry.call, found)
            raise Denied(_words(found))
        entry.verdict = _stricter(entry.verdict, found)

    def _hold(self, ledger: Ledger, entry: Entry) -> Hold | Awaitable[Hold] | None:
        try:
            return ledger.hold(entry.process, entry.act, entry.call)
        except QuotaExceeded as no:
            refused = Verdict(decision=Decision.DENY, rule="budget", reason=no.message)
            self._note(entry.process, entry.act, entry.call, refused)
            raise

    async def _ask(self, entry: Entry, work: Work) -> Consent | None:
        asker, verdict = self._parts.asker, entry.verdict
        work.is_again = self.is_again(entry.process, entry.call, work)
        if work.is_again:
            return None
        try:
            if asker is None:
                raise Denied(f"{_words(verdict)}; and nobody here can be asked")
            return await asker.ask(entry.process, entry.act, entry.call, verdict, work)
        except Denied as no:
            refused = Verdict(decision=Decision.DENY, rule=verdict.rule, reason=no.message)
            self._note(entry.process, entry.act, entry.call, refused)
            raise

    def _note(self, process: Process, act: Act, call: Syscall[Any], verdict: Verdict) -> None:
        if self._parts.witness is not None:
            self._parts.witness.note(process, act, call, verdict)

    def _refusal(self, standing: Standing, asked: Question, verdict: Verdict) -> AiosError:
        """About another agent's thing, the very error of one that is not there.

        A pid is told nothing of to whoever may not act on it: whose it is would be known by that.
        """
        if asked.relation is not Relation.OWN and (
            asked.row.by_pid or self._monitor.may_own(standing, asked)
        ):
            absent = missing(asked.row, asked.act.object)
            if absent is not None:
                return NotFound(absent)
        return Denied(_words(verdict))


@dataclass(frozen=True, slots=True)
class Uses:
    """Of capabilities, by an act that takes effect before it commits."""

    grants: Grants
    ids: tuple[str, ...]

    def changes(self) -> Sequence[Change]:
        return [rights_rows.used(id) for id in self.ids]

    def gone(self) -> None:
        self.grants.use_up(self.ids)


_WORST = (Decision.DENY, Decision.ASK, Decision.ALLOW)


def _stricter(one: Verdict, other: Verdict) -> Verdict:
    """What both ask for is asked once, with both reasons."""
    if one.decision is Decision.ALLOW:
        return other
    reasons = "; ".join(part for part in (one.reason, other.reason) if part)
    rule = one.rule if other.decision is Decision.ALLOW else f"{one.rule}; {other.rule}"
    return replace(one, rule=rule, reason=reasons)


def _words(verdict: Verdict) -> str:
    return "; ".join(part for part in (verdict.reason, verdict.remedy) if part)
