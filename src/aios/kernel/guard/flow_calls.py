"""Handlers of plans and labels, and all of it as one fitting of the guard."""

import msgspec

from aios.access.carries import beside_place, process_place
from aios.access.labels import PLAIN, Label, shown
from aios.errors import Denied, InvalidArgument, NotFound
from aios.journal.base import Change, Work
from aios.kernel.guard import flow_book, flow_rows
from aios.kernel.guard.effects import UNKNOWN, effect_of
from aios.kernel.guard.flow import Flow
from aios.kernel.guard.parts import Parts, Setting
from aios.kernel.process import Process
from aios.kernel.table import ProcessTable
from aios.syscalls.access import Endorse, LabelInfo, Plan, PlanActs, ShowLabel
from aios.syscalls.tool import CallTool

PLANNED_MAX = 1_024  # acts of one process that are not used up


class FlowCalls:
    """`flow` has the labels."""

    def __init__(self, flow: Flow, table: ProcessTable) -> None:
        self._flow = flow
        self._table = table

    async def plan(self, process: Process, call: PlanActs, work: Work) -> Plan:
        known = self._flow.label_of(process)
        if not known.is_trusted:
            raise Denied(
                f"it has heard things {shown(known)} already; expected a plan made before that, "
                "or by a process that has not"
            )
        now = (*self._flow.plans.get(process.pid, ()), *call.acts)
        if len(now) > PLANNED_MAX:
            raise InvalidArgument(f"acts: expected at most {PLANNED_MAX} that are not used up")
        # Declared is declared, even if this cannot be kept: nothing was heard before.
        self._flow.plans[process.pid] = now
        work.remember(lambda reply: [self._flow.plan_row(process.pid)])
        reply = Plan(now)
        await work.commit(reply)
        return reply

    async def show(self, process: Process, call: ShowLabel) -> LabelInfo:
        if call.pid and not self._table.is_above(process, call.pid):
            raise NotFound(f"no process {call.pid}; `aios ps` lists those there are")
        return self._info(self._table.find(call.pid) if call.pid else process)

    async def endorse(self, process: Process, call: Endorse, work: Work) -> LabelInfo:
        """The guard let it through: the caller has a capability that says so."""
        target = self._table.find(call.pid)
        lowering: list[flow_book.Change] = []

        def lowered(reply: object) -> list[Change]:
            """As the label is by then: what it hears meanwhile nobody has vouched for."""
            if isinstance(reply, BaseException):
                return []
            known = self._flow.label_of(target)
            readers = None if call.public else known.readers
            fallen = Label(known.sources - gone, readers)
            lowering.append(self._flow.book.lowered(process_place(call.pid), fallen))
            if call.public:
                lowering.append(self._flow.book.lowered(beside_place(call.pid), PLAIN))
            return [flow_rows.labelled(*row) for one in lowering for row in one.will.items()]

        before = self._flow.label_of(target)
        gone = before.sources if call.sources is None else frozenset(call.sources)
        work.remember(lowered)
        reply = msgspec.structs.replace(
            self._info(target),
            sources=tuple(sorted(before.sources - gone)),
            **({"readers": None} if call.public else {}),
        )
        await work.commit(reply)
        for one in lowering:
            self._flow.book.settle(one, is_done=True)
        return reply

    def _info(self, process: Process) -> LabelInfo:
        known = self._flow.label_of(process)
        return LabelInfo(
            pid=process.pid,
            sources=tuple(sorted(known.sources)),
            readers=None if known.readers is None else tuple(sorted(known.readers)),
            plan=self._flow.plans.get(process.pid, ()),
        )


class Labels:
    """A fitting. Its flow is that of the kernel that was fitted last."""

    def __init__(self) -> None:
        self._flow: Flow | None = None

    def __call__(self, setting: Setting) -> Parts:
        self._flow = flow = Flow(setting)
        calls = FlowCalls(flow, setting.table)
        return Parts(
            flow=flow,
            readings={ShowLabel: calls.show},
            handlers={PlanActs: calls.plan, Endorse: calls.endorse},
            effects={CallTool: lambda call: effect_of(setting.terms_of(call.name) or UNKNOWN)},
            open=(flow.load,),
            close=(flow.owed.pulse.stop,),
        )

    def shown(self, process: Process) -> str:
        """The label of a process in words, for whoever writes the audit."""
        return "" if self._flow is None else self._flow.shown(process)
