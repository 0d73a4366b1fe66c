"""From a syscall to the act that the gate judges: one row per syscall, a test misses none.

Knows what a call names, never whether that is there. Where a call acts on a process, whose that is
only the process table knows: such a row says `by_pid`, and the kernel asks.
"""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, NamedTuple

from aios.access.base import Act, Effect
from aios.syscalls import (
    access,
    approval,
    audit,
    budget,
    file,
    history,
    kernel,
    llm,
    memory,
    model,
    note,
    program,
    scheduling,
)
from aios.syscalls import process as processes
from aios.syscalls import tool as tools
from aios.syscalls.base import Syscall, name_of

Kind = type[Syscall[Any]]
Field = Callable[[Any], Any]


class Row(NamedTuple):
    """What a kind of syscall does to what."""

    verb: str
    effect: Effect
    object: Field | None  # None: it names no single thing
    owner: Field | None  # of the agent that it names; None: it is the caller's own
    by_pid: bool  # the object is a process, and its agent the owner
    second: Field | None  # another object of the same owner: where a thing is moved to
    parts: Field | None  # calls inside of this one, each of them an act too
    reaches_below: bool  # of a folder, all that is in it
    acts_first: bool  # takes effect before it commits: what it uses up is gone before that
    is_lent: bool  # where the caller has no right, the room decides by what the owner shares


def act_of(row: Row, call: Syscall[Any], owner: str) -> Act:
    """The act of a call on a thing of `owner`."""
    return Act(row.verb, owner, object_of(row, call), row.effect)


def object_of(row: Row, call: Syscall[Any]) -> str:
    """What the call names."""
    return "" if row.object is None else str(row.object(call))


def strongest(effects: list[Effect]) -> Effect:
    """The worst of what several acts do."""
    return max(effects, key=ORDER.index)


ORDER = tuple(Effect)  # from the harmless to the final
NONE, READ, CHANGE, OUTSIDE, FINAL = ORDER


def _row(  # noqa: PLR0913 - a row's columns
    kind: Kind,
    effect: Effect,
    object: str = "",
    owner: str = "",
    *,
    second: str = "",
    parts: str = "",
    below: bool = False,
    first: bool = False,
    lent: bool = False,
) -> tuple[Kind, Row]:
    return kind, Row(
        verb=name_of(kind),
        effect=effect,
        object=attrgetter(object) if object else None,
        owner=attrgetter(owner) if owner else None,
        by_pid=object == "pid",
        second=attrgetter(second) if second else None,
        parts=attrgetter(parts) if parts else None,
        reaches_below=below,
        acts_first=first,
        is_lent=lent,
    )


ACTS: Mapping[Kind, Row] = dict((
    _row(llm.Generate, NONE, "model"),
    _row(llm.Stream, NONE, "generate.model"),
    _row(llm.Cancel, NONE, "call_id"),
    _row(llm.Tokenize, NONE, "model"),
    _row(llm.Embed, NONE),
    _row(llm.Models, NONE),

    _row(processes.WhoAmI, READ),
    _row(processes.Spawn, CHANGE, "name"),
    _row(processes.Exit, CHANGE),
    _row(processes.Wait, READ, "pid"),
    _row(processes.Kill, FINAL, "pid"),
    _row(processes.Pause, CHANGE, "pid"),
    _row(processes.Resume, CHANGE, "pid"),
    _row(processes.List, READ),
    _row(processes.Inspect, READ, "pid"),
    _row(processes.Send, CHANGE, "pid"),
    _row(processes.Receive, CHANGE),
    _row(processes.Attempt, NONE, "tool"),
    _row(processes.Report, NONE),
    _row(processes.Now, NONE),
    _row(processes.Calls, READ, "pid"),

    _row(program.StartProgram, FINAL, "name"),  # it may do all that the operator may
    _row(program.FeedProgram, CHANGE, "pid"),
    _row(program.ProgramLog, READ, "pid"),

    _row(file.Create, CHANGE, "path", "owner"),
    _row(file.MakeFolder, CHANGE, "path", "owner"),
    _row(file.ReadFile, READ, "path", "owner"),
    _row(file.WriteFile, CHANGE, "path", "owner"),
    _row(file.AppendFile, CHANGE, "path", "owner"),
    _row(file.Edit, CHANGE, "path", "owner"),
    _row(file.Folder, READ, "path", "owner", below=True),
    _row(file.Stat, READ, "path", "owner"),
    _row(file.Move, CHANGE, "path", "owner", second="to", below=True),
    _row(file.Copy, CHANGE, "path", "owner", second="to", below=True),
    _row(file.Delete, FINAL, "path", "owner", below=True),
    _row(file.Restore, CHANGE, "id", second="to"),
    _row(file.Bin, READ),
    _row(file.SearchFiles, READ, "path", below=True),
    _row(file.Versions, READ, "path", "owner"),
    _row(file.Diff, READ, "path", "owner"),
    _row(file.RollbackFile, FINAL, "path", "owner"),
    _row(file.ShareFile, OUTSIDE, "path", "owner"),  # whoever has the token reads it
    _row(file.Links, READ),
    _row(file.Revoke, CHANGE),
    _row(file.OpenLink, READ),
    _row(file.Mount, OUTSIDE, "name", "agent"),
    _row(file.Unmount, CHANGE, "name", "agent"),
    _row(file.Mounts, READ),
    _row(file.Transaction, CHANGE, owner="owner", parts="steps"),
    _row(file.FileUsage, READ),

    _row(memory.Alloc, CHANGE, "name", "owner"),
    _row(memory.Read, READ, "name", "owner", lent=True),
    _row(memory.Write, FINAL, "name", "owner", lent=True),  # a block has no versions
    _row(memory.Append, CHANGE, "name", "owner", lent=True),
    _row(memory.Clear, FINAL, "name", "owner"),
    _row(memory.Free, FINAL, "name", "owner"),
    _row(memory.Blocks, READ),
    _row(memory.Share, CHANGE, "name", "owner"),

    _row(history.Extend, CHANGE, "name", "owner"),
    _row(history.Turns, READ, "name", "owner"),
    _row(history.Fork, CHANGE, "name", "owner", second="to"),
    _row(history.Rollback, FINAL, "name", "owner"),
    _row(history.Drop, FINAL, "name", "owner"),
    _row(history.Histories, READ),
    _row(history.Assemble, READ, "name", "owner"),

    _row(note.Add, CHANGE),
    _row(note.Get, READ, "id", "owner"),
    _row(note.Update, FINAL, "id", "owner"),  # what it said before is not kept
    _row(note.Remove, FINAL, "id", "owner"),
    _row(note.Link, CHANGE, "id", "owner", second="to"),
    _row(note.ShareNote, CHANGE, "id", "owner"),
    _row(note.Search, READ),

    _row(tools.ListTools, NONE),
    _row(tools.ShowTool, READ, "name"),  # what a model is not told, too
    _row(tools.CallTool, CHANGE, "name", first=True),  # what the tool declares, where it is known
    _row(tools.CallTools, CHANGE, parts="calls", first=True),
    _row(tools.AcceptTool, FINAL, "name"),
    _row(tools.AddServer, FINAL, "name", first=True),  # its program is started, then pinned
    _row(tools.RemoveServer, CHANGE, "name"),

    _row(access.GrantRight, FINAL, "to"),
    _row(access.RevokeRight, CHANGE, "id"),
    _row(access.Rights, READ, owner="agent"),
    _row(access.CheckAccess, READ, owner="agent"),
    _row(access.AddPrivilege, FINAL, "group", "agent"),
    _row(access.AskPermission, CHANGE),
    _row(access.PlanActs, CHANGE),
    _row(access.ShowLabel, READ),
    _row(access.Endorse, FINAL, "pid"),

    _row(approval.Approvals, READ),
    _row(approval.AnswerApproval, FINAL, "id"),
    _row(approval.AskHuman, NONE),
    _row(budget.SetBudget, FINAL, "resource", "account"),
    _row(budget.TopUp, FINAL, "resource", "account"),
    _row(budget.Budgets, READ, owner="account"),
    _row(audit.AuditRecords, READ),
    _row(audit.VerifyAudit, READ),
    _row(scheduling.ShowScheduler, READ),
    _row(scheduling.SetPolicy, CHANGE, "policy"),
    _row(kernel.Stats, READ),
    _row(model.AddModel, FINAL, "name", first=True),  # its engine is started, then served
    _row(model.RemoveModel, FINAL, "name", first=True),  # calls fail, then it is told
))  # fmt: skip
VERBS: Mapping[str, Kind] = {row.verb: kind for kind, row in ACTS.items()}
