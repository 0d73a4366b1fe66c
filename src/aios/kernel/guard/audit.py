"""Writes down every decision: the witness of the guard. Looks at nothing it writes.

A decision is noted in RAM and goes to the journal in pages: before an effect is posted that it
decided, when a page is full, and at the latest a second later. The journal keeps order, so that no
effect is durable whose record is not. What a killed kernel may lose is the last second of what had
no effect: reads, and refusals.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple, TypeVar, TypeVarTuple

import msgspec

from aios.access.acts import ACTS
from aios.access.base import Act, Effect
from aios.access.carries import TOOLS
from aios.access.chain import FIRST, START, Entry, Page, Place, end_of, page_of, seal
from aios.clock import Clock
from aios.errors import AiosError, Busy
from aios.journal import statements as sql
from aios.journal.base import Change, Journal, Row, Work
from aios.kernel.guard.audit_dials import Dials
from aios.kernel.guard.audit_place import Safe
from aios.kernel.guard.pulse import Pulse
from aios.kernel.guard.vault import Hider
from aios.kernel.process import Process
from aios.sandbox.egress import Decision as Dial
from aios.syscalls.access import Decision, Verdict
from aios.syscalls.base import Syscall
from aios.syscalls.codec import encode
from aios.syscalls.tool import CallTool, CallTools

PAGE_MAX = 256  # records
OBJECT_MAX = 512  # characters of an object's name
HASH_HEX = 32  # of the arguments' hash, in hexadecimal digits
KEEP_MAX = 250_000  # records; older ones are let go
FORGET_EACH = 64 * PAGE_MAX  # records that are let go at once
UNPOSTED_MAX = 64  # pages that wait for a journal which takes nothing more
QUIET = frozenset({Effect.NONE, Effect.READ})
LOUD = frozenset({"llm.generate", "llm.stream", "llm.embed"})  # no effect on data, but on a purse
RUNS_TOOLS = "tool."
TOOL_RUNS = frozenset(ACTS[kind].verb for kind in TOOLS)
TOOL_RUN = ACTS[CallTool].verb
SOON_S = 0.005
ALLOW = Decision.ALLOW
ANCHOR = "audit_anchor"
LAST = 1 << 62  # no record has so high a number

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


Noted = tuple[float, int, str, Act, Syscall[Any], Verdict, str]
"""When, who (pid and agent), what, with which arguments, what was decided, under which label. A
plain tuple: one is made for every call that is no look."""


@dataclass(slots=True)
class Telling:
    """What a record says beside the decision; each is asked when it is needed."""

    hidden: Hider
    label: Callable[[Process], str] = field(default=lambda process: "")
    policy: Callable[[], str] = field(default=lambda: "")


class Audit:
    """One chain per journal."""

    def __init__(
        self,
        journal: Journal,
        safe: Safe,
        clock: Clock,
        telling: Telling,
        *,
        keep_max: int = KEEP_MAX,
    ) -> None:
        self._journal = journal
        self._safe = safe
        self._clock = clock
        self._telling = telling
        self._keep_max = keep_max
        self._key = b""
        self._end = START  # of the chain, posted or not
        self._anchor = START
        self._noted: list[Noted] = []
        self._counts: dict[tuple[int, str, str], tuple[str, int]] = {}
        self._dials = Dials()
        self._unposted: list[Page] = []
        self._posted: list[tuple[Page, Awaitable[None]]] = []  # not known to be durable
        self._saved: Place | None = None
        self._pulse = Pulse(clock, self._write)
        self._settling = asyncio.Lock()
        self._soon: asyncio.TimerHandle | None = None

    async def open(self) -> None:
        """Go on where the last kernel stopped; where its end is gone, a gap stays to be seen."""
        self._key = await offloaded(self._safe, self._safe.key)
        head = await offloaded(self._safe, self._safe.head)
        newest = pages_of(await self._journal.read(sql.AUDIT_PAGES_BACK, LAST, 1))
        self._end = continued(end_of(newest[0]) if newest else None, head)
        self._anchor = (await anchor_of(self._journal)).place
        # Before there is any record: one without a head is one whose head was taken away.
        await offloaded(self._safe, self._safe.save, self._end)
        self._saved = self._end
        self._pulse.start("audit")

    async def close(self) -> None:
        """Everything noted is durable, and the head says so."""
        await self._pulse.stop()

    def note(self, process: Process, act: Act, call: Syscall[Any], verdict: Verdict) -> None:
        """Remember a decision. Raises `Busy` where too many could not be written.

        A tool is never one of many looks; a batch is told as the calls that it is.
        """
        is_run = type(call) in TOOLS
        is_quiet = act.effect in QUIET and act.verb not in LOUD
        if is_quiet and not is_run and act.owner == process.agent and verdict.decision is ALLOW:
            self.count(process, act.verb, verdict.rule)
            return
        if len(self._unposted) > UNPOSTED_MAX:
            raise Busy("the audit cannot be written; nothing is done that it would not tell of")
        label = self._telling.label(process)
        noted = self._noted
        if not noted:
            self._pulse.due()
        at, pid, agent = self._clock.utc(), process.pid, process.agent
        for one, part in _parts(act, call) if is_run else ((act, call),):
            noted.append((at, pid, agent, one, part, verdict, label))
        if len(noted) >= PAGE_MAX:
            self.flush()

    def begins(self, act: Act, work: Work) -> None:
        """What was noted goes to the journal before what `work` commits.

        A tool takes effect before there is any commit: what cannot be taken back is posted now,
        the rest within `SOON_S`, with what others did meanwhile.
        """
        if act.effect in QUIET and act.verb not in TOOL_RUNS:
            return
        work.precede(self.flush)
        if act.effect is Effect.OUTSIDE:
            self.flush()
        elif act.verb.startswith(RUNS_TOOLS):
            self.flush() if act.effect is Effect.FINAL else self._flush_soon()

    def count(self, process: Process, verb: str, rule: str) -> None:
        """One more look of an agent at its own."""
        key = (process.pid, verb, rule)
        agent, count = self._counts.get(key, (process.agent, 0))
        self._counts[key] = (agent, count + 1)
        if not count:
            self._pulse.due()

    def dialled(self, dial: Dial) -> None:
        """Remember what the guarded way out decided; a flood of it is told in sums."""
        self._dials.add(dial)
        self._pulse.due()

    def _flush_soon(self) -> None:
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(SOON_S, self.flush)

    def flush(self) -> None:
        """Post what is noted."""
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        entries = self._entries()
        while entries:
            page, entries = page_of(entries[:PAGE_MAX], self._end, self._key), entries[PAGE_MAX:]
            self._end = end_of(page)
            self._unposted.append(page)
        self._post()

    async def flushed(self) -> None:
        """The same, durable, and the head says so."""
        self.flush()
        async with self._settling:  # Who comes second waits for what the first one took.
            await self._settled()

    @property
    def end(self) -> Place:
        """The newest record's, once it is flushed."""
        return self._end

    async def _write(self) -> None:
        await self.flushed()
        await self._let_go()

    async def _settled(self) -> None:
        """Wait for the pages, then move the head; never the other way round."""
        end = self._end  # All up to here is posted, or waits to be.
        failed = [page for page, posted in self._taken() if not await _is_kept(posted)]
        self._unposted[:0] = failed
        if self._unposted:
            self._pulse.due()
            raise Busy("the audit could not be written; it is tried again")
        if end != self._saved:
            await offloaded(self._safe, self._safe.save, end)
            self._saved = end

    def _taken(self) -> list[tuple[Page, Awaitable[None]]]:
        posted, self._posted = self._posted, []
        return posted

    async def _let_go(self) -> None:
        """Old pages leave, many at once; the anchor then stands for them."""
        if self._end.number - self._anchor.number < self._keep_max + FORGET_EACH:
            return
        oldest = self._end.number - self._keep_max
        rows = await self._journal.read(sql.AUDIT_PAGES_BACK, oldest, 1)
        for page in pages_of(rows):
            place = Place(page.first - 1, page.before)
            gone = Change(sql.AUDIT_PAGES_FORGET, (place.number,))
            await self._journal.post([anchoring(place, self._key), gone])
            self._anchor = place

    def _entries(self) -> list[Entry]:
        noted, self._noted = self._noted, []
        counts, self._counts = self._counts, {}
        policy = self._telling.policy()
        names = self._names(noted)
        entries = [_entry(one, name, policy) for one, name in zip(noted, names, strict=True)]
        now = self._clock.utc() if counts else 0.0
        for (pid, verb, rule), (agent, count) in counts.items():
            entries.append(Entry(now, pid, agent, verb, "", ALLOW, rule, policy, "", "", count))
        for dial in self._dials.taken(self._clock.utc(), policy):
            hide = self._telling.hidden.text
            dial = msgspec.structs.replace(dial, object=hide(dial.object), rule=hide(dial.rule))
            entries.append(dial)
        return entries

    def _names(self, noted: list[Noted]) -> list[str]:
        """Of the objects, without secrets; looked for in all of them at once."""
        names = [
            act.object[:OBJECT_MAX] if act.owner == agent else _of_another(act)
            for _, _, agent, act, _, _, _ in noted
        ]
        hide = self._telling.hidden.text
        joined = "\0".join(names)
        return names if hide(joined) == joined else [hide(name)[:OBJECT_MAX] for name in names]

    def _post(self) -> None:
        """Hand pages to the journal in order; what it does not take now waits."""
        while self._unposted:
            page = self._unposted[0]
            # With the deletion, of nothing as a rule, the page is written on a full disk too.
            gone = Change(sql.AUDIT_PAGES_FORGET, (self._anchor.number,))
            try:
                posted = self._journal.post([Change(sql.AUDIT_PAGE_ADD, tuple(page)), gone])
            except Busy:
                self._pulse.due()
                return
            del self._unposted[0]
            self._posted.append((page, posted))


def _parts(act: Act, call: Syscall[Any]) -> Sequence[tuple[Act, Syscall[Any]]]:
    """The single calls of tools that a call is."""
    if not isinstance(call, CallTools):
        return ((act, call),)
    return [(act._replace(verb=TOOL_RUN, object=one.name), one) for one in call.calls]


def _entry(noted: Noted, name: str, policy: str) -> Entry:
    at, pid, agent, act, call, verdict, label = noted
    arguments = sha256(encode(call)).hexdigest()[:HASH_HEX]
    return Entry(
        at, pid, agent, act.verb, name, verdict.decision, verdict.rule, policy, label, arguments, 1
    )


def _of_another(act: Act) -> str:
    """The object, with the agent whose it is."""
    return f"{act.owner}:{act.object}"[:OBJECT_MAX]


class Anchor(NamedTuple):
    """The last record that was let go, and the proof of whoever did."""

    place: Place
    proof: bytes


async def anchor_of(journal: Journal) -> Anchor:
    """The anchor in a journal; without one nothing was let go."""
    rows = await journal.read(sql.META_GET, ANCHOR)
    if not rows:
        return Anchor(START, b"")
    value = rows[0][0]
    if not isinstance(value, bytes) or len(value) < 8 + len(FIRST):
        return Anchor(START, b"not ours")
    number, link, proof = value[:8], value[8 : 8 + len(FIRST)], value[8 + len(FIRST) :]
    return Anchor(Place(int.from_bytes(number, "big"), link), proof)


def anchoring(place: Place, key: bytes) -> Change:
    """From now on nothing is expected before this record's follower."""
    value = place.number.to_bytes(8, "big") + place.hash + seal("anchor", place, key)
    return Change(sql.META_PUT, (ANCHOR, value))


def continued(last: Place | None, head: Place | None) -> Place:
    """Where a chain goes on, given its last page and its head.

    Records that the head knows and the journal does not are gone: their numbers are not given
    again. Where the head itself is gone, or is not ours, one number is left out.
    """
    if last is None:
        return head or START
    if head is None:
        return Place(last.number + 1, last.hash)
    return last if last.number >= head.number else head


def pages_of(rows: Sequence[Row]) -> list[Page]:
    """Pages as the table has them."""
    return [Page(*row) for row in rows]  # type: ignore[arg-type]  # STRICT, and NOT NULL


async def offloaded(safe: Safe, act: Callable[[*Ts], T], *values: *Ts) -> T:
    """What a safe does, in a thread where it blocks."""
    return await asyncio.to_thread(act, *values) if safe.blocks else act(*values)


async def _is_kept(posted: Awaitable[None]) -> bool:
    try:
        await posted
    except AiosError:
        return False
    return True
