"""What syscalls do to labels: whose a reply bears, and what takes the caller's. A row for each.

A place is anything beside which a label is kept. What an act says here follows from the call and
its reply alone. A tool's result bears the tool's own label, which is not a place's: see the flow.
Names of processes, groups and budgets bear none.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, get_args

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
    tool,
)
from aios.syscalls import process as processes
from aios.syscalls.base import Syscall

Kind = type[Syscall[Any]]
EVERY = "*"  # as a name: all things of a kind and an owner
FILE, PAST, BIN = "file", "past", "bin"  # a path's content, what it was before, and what is deleted
BLOCK, HISTORY, NOTE = "block", "history", "note"
PROCESS, MAIL = "process", "mail"  # a process's own, and that of what waits in its mailbox
BESIDE = "beside"  # what a process has heard by acts that its plan does not name
TOOL_STATE = "tool-state"  # what a server keeps between calls: by agent, or without an owner
LINKED = "a file behind a link"  # somebody else's words, whoever wrote them


class Place(NamedTuple):
    """A thing of an owner; a process has none, and its pid is the name."""

    kind: str
    owner: str
    name: str


class Done(NamedTuple):
    """A call that was made: by whom, on whose things, and what came of it."""

    pid: int
    owner: str  # of the things it names
    call: Any
    reply: Any
    meant: Any = None  # the call that would have named what this one only had a token of


class Carried(NamedTuple):
    """What becomes of labels, in this order: `copied`, `cleared`, `given`, then `told`."""

    told: Iterable[Place] = ()  # the reply is about these: the caller takes their labels
    given: Iterable[Place] = ()  # these take the caller's label beside their own
    cleared: Iterable[Place] = ()  # nothing of what was there is there any more
    copied: Iterable[tuple[Place, Place]] = ()  # the second becomes what the first is, or more
    source: str = ""  # where the reply comes from, if from no place


Row = Callable[[Done], Carried]


def process_place(pid: int) -> Place:
    return Place(PROCESS, "", str(pid))


def mail_place(pid: int) -> Place:
    return Place(MAIL, "", str(pid))


def beside_place(pid: int) -> Place:
    return Place(BESIDE, "", str(pid))


def _path(done: Done, path: str) -> Place:
    return Place(FILE, done.owner, path)


def _past(done: Done, path: str) -> Place:
    return Place(PAST, done.owner, path)


def _both(done: Done, path: str) -> tuple[Place, Place]:
    return _path(done, path), _past(done, path)


# Processes and mail.


def _spawned(done: Done) -> Carried:
    return Carried(given=(process_place(done.reply.pid),))


def _waited(done: Done) -> Carried:
    return Carried(told=(process_place(done.call.pid),))


def _sent(done: Done) -> Carried:
    return Carried(given=(mail_place(done.call.pid),))


def _received(done: Done) -> Carried:
    return Carried(told=(mail_place(done.pid),))


def _fed(done: Done) -> Carried:
    return Carried(given=(process_place(done.call.pid),))


# Files. A version that is not the present one may be of any of the labels the path ever had.


def _made(done: Done) -> Carried:
    return Carried(given=(_path(done, done.call.path),))


def _written(done: Done) -> Carried:
    now, past = _both(done, done.call.path)
    return Carried(copied=((now, past),), cleared=(now,), given=(now,))


def _changed(done: Done) -> Carried:
    now, past = _both(done, done.call.path)
    return Carried(copied=((now, past),), given=(now,))


def _read(done: Done) -> Carried:
    if getattr(done.call, "version", None) is None:
        return Carried(told=(_path(done, done.call.path),))
    return _looked_back(done)


def _looked_back(done: Done) -> Carried:
    return Carried(told=_both(done, done.call.path))


def _listed(done: Done) -> Carried:
    return Carried(told=[_path(done, one.path) for one in done.reply.files])


def _found(done: Done) -> Carried:
    return Carried(told=[_path(done, one.file.path) for one in done.reply.files])


def _moved(done: Done) -> Carried:
    now, past = _both(done, done.call.path)
    to, before = _both(done, done.call.to)
    return Carried(copied=((now, to), (past, before)), cleared=(now, past), given=(to,))


def _copied(done: Done) -> Carried:
    to = _path(done, done.call.to)
    return Carried(copied=((_path(done, done.call.path), to),), given=(to,))


def _deleted(done: Done) -> Carried:
    """Within a transaction nobody is told the place in the bin: then it is any of them."""
    gone = Place(BIN, done.owner, getattr(done.reply, "id", EVERY))
    now, past = _both(done, done.call.path)
    return Carried(copied=((now, gone), (past, gone)), cleared=(now, past))


def _restored(done: Done) -> Carried:
    gone = Place(BIN, done.owner, done.call.id)
    lost = Place(BIN, done.owner, EVERY)
    now, past = _both(done, done.reply.path)
    copied = ((gone, now), (gone, past), (lost, now), (lost, past))
    return Carried(copied=copied, cleared=(gone,), given=(now,))


def _in_bin(done: Done) -> Carried:
    return Carried(told=[Place(BIN, done.owner, one.id) for one in done.reply.deleted])


def _rolled_back(done: Done) -> Carried:
    now, past = _both(done, done.call.path)
    return Carried(copied=((now, past), (past, now)), given=(now,))


def _linked(done: Done) -> Carried:
    return Carried(told=[_path(done, one.path) for one in done.reply.links])


def _opened(done: Done) -> Carried:
    """The link says nothing of its file: who opens it hears what a reader of the file does."""
    if done.meant is None:
        return Carried(source=LINKED)
    read = _read(done._replace(owner=done.meant.owner, call=done.meant))
    return Carried(told=read.told, source=LINKED)


# Memory.


def _block(done: Done) -> Place:
    return Place(BLOCK, done.owner, done.call.name)


def _history(done: Done) -> Place:
    return Place(HISTORY, done.owner, done.call.name)


def _assembled(done: Done) -> Carried:
    return Carried(told=(_history(done), *map(_note, done.reply.notes)))


def _forked(done: Done) -> Carried:
    to = Place(HISTORY, done.owner, done.call.to)
    return Carried(copied=((_history(done), to),), given=(to,))


def _note(one: Any) -> Place:
    return Place(NOTE, one.owner, one.id)


def _note_told(done: Done) -> Carried:
    return Carried(told=(_note(done.reply),))


def _note_given(done: Done) -> Carried:
    """The reply is the whole note, of which the caller may have written a part."""
    place = _note(done.reply)
    return Carried(told=(place,), given=(place,))


def _notes_tied(done: Done) -> Carried:
    one = _note(done.reply)
    return Carried(told=(one,), given=(one, one._replace(name=done.call.to)))


CARRIES: Mapping[Kind, Row] = {
    processes.Spawn: _spawned,
    processes.Wait: _waited,
    processes.Calls: _waited,
    processes.Send: _sent,
    processes.Receive: _received,
    program.StartProgram: _spawned,
    program.FeedProgram: _fed,
    program.ProgramLog: _waited,
    file.Create: _made,
    file.MakeFolder: _made,
    file.ReadFile: _read,
    file.WriteFile: _written,
    file.AppendFile: _changed,
    file.Edit: _changed,
    file.Folder: _listed,
    file.Stat: _read,
    file.Move: _moved,
    file.Copy: _copied,
    file.Delete: _deleted,
    file.Restore: _restored,
    file.Bin: _in_bin,
    file.SearchFiles: _found,
    file.Versions: _looked_back,
    file.Diff: _looked_back,
    file.RollbackFile: _rolled_back,
    file.Links: _linked,
    file.OpenLink: _opened,
    memory.Alloc: lambda done: Carried(given=(_block(done),)),
    memory.Read: lambda done: Carried(told=(_block(done),)),
    memory.Write: lambda done: Carried(cleared=(_block(done),), given=(_block(done),)),
    memory.Append: lambda done: Carried(given=(_block(done),)),
    memory.Clear: lambda done: Carried(cleared=(_block(done),)),
    memory.Free: lambda done: Carried(cleared=(_block(done),)),
    memory.Blocks: lambda done: Carried(
        told=[Place(BLOCK, one.owner, one.name) for one in done.reply.blocks]
    ),
    history.Extend: lambda done: Carried(given=(_history(done),)),
    history.Turns: lambda done: Carried(told=(_history(done),)),
    history.Fork: _forked,
    history.Drop: lambda done: Carried(cleared=(_history(done),)),
    history.Histories: lambda done: Carried(
        told=[Place(HISTORY, done.owner, one.name) for one in done.reply.histories]
    ),
    history.Assemble: _assembled,
    note.Add: _note_given,
    note.Get: _note_told,
    note.Update: _note_given,
    note.Remove: lambda done: Carried(cleared=(Place(NOTE, done.owner, done.call.id),)),
    note.Link: _notes_tied,
    note.ShareNote: _note_told,
    note.Search: lambda done: Carried(told=[_note(one.note) for one in done.reply.notes]),
}
STEPS: frozenset[Kind] = frozenset(get_args(file.Step))
UNLABELLED: frozenset[Kind] = frozenset({
    # A generation says what its process knows: it bears the label that the process has already.
    llm.Generate, llm.Stream, llm.Cancel, llm.Tokenize, llm.Embed, llm.Models,
    processes.WhoAmI, processes.Exit, processes.Kill, processes.Pause, processes.Resume,
    processes.List, processes.Inspect, processes.Attempt, processes.Report, processes.Now,
    file.ShareFile, file.Revoke, file.Mount, file.Unmount, file.Mounts, file.FileUsage,
    memory.Share, history.Rollback,
    tool.ListTools, tool.ShowTool, tool.AcceptTool, tool.AddServer, tool.RemoveServer,
    access.GrantRight, access.RevokeRight, access.Rights, access.CheckAccess, access.AddPrivilege,
    access.AskPermission, access.PlanActs, access.ShowLabel, access.Endorse,
    approval.Approvals, approval.AnswerApproval, approval.AskHuman,
    budget.SetBudget, budget.TopUp, budget.Budgets, audit.AuditRecords, audit.VerifyAudit,
    kernel.Stats, model.AddModel, model.RemoveModel,
    scheduling.ShowScheduler, scheduling.SetPolicy,
})  # fmt: skip
TOOLS: frozenset[Kind] = frozenset({tool.CallTool, tool.CallTools})
BEARING: frozenset[Kind] = TOOLS | {file.OpenLink}  # what these tell bears a label of its own


def carried(done: Done) -> Iterator[Carried]:
    """What becomes of labels through a call that is no tool's, step by step."""
    kind = type(done.call)
    if kind is file.Transaction:
        for step in done.call.steps:
            yield CARRIES[type(step)](done._replace(call=step))
    elif kind in CARRIES:
        yield CARRIES[kind](done)


def is_labelled(kind: Kind) -> bool:
    """Whether such a call may change any label."""
    return kind not in UNLABELLED
