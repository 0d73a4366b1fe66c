"""The closed list of syscalls. Handlers, wire schema, documentation and tests derive from it."""

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
    process,
    program,
    scheduling,
    tool,
)
from aios.syscalls.base import Syscall, name_of

SYSCALLS: dict[str, type[Syscall[object]]] = {
    name_of(kind): kind
    for kind in (
        llm.Generate, llm.Stream, llm.Cancel, llm.Tokenize, llm.Embed, llm.Models,
        process.WhoAmI, process.Spawn, process.Exit, process.Wait, process.Kill, process.Pause,
        process.Resume, process.List, process.Inspect, process.Send, process.Receive,
        process.Attempt, process.Report, process.Now, process.Calls,
        file.Create, file.MakeFolder, file.ReadFile, file.WriteFile, file.AppendFile, file.Edit,
        file.Folder, file.Stat, file.Move, file.Copy, file.Delete, file.Restore, file.Bin,
        file.SearchFiles, file.Versions, file.Diff, file.RollbackFile, file.ShareFile, file.Links,
        file.Revoke, file.OpenLink, file.Mount, file.Unmount, file.Mounts, file.Transaction,
        file.FileUsage,
        memory.Alloc, memory.Read, memory.Write, memory.Append, memory.Clear, memory.Free,
        memory.Blocks, memory.Share,
        history.Extend, history.Turns, history.Fork, history.Rollback, history.Drop,
        history.Histories, history.Assemble,
        note.Add, note.Get, note.Update, note.Remove, note.Link, note.ShareNote, note.Search,
        access.GrantRight, access.RevokeRight, access.Rights, access.CheckAccess,
        access.AddPrivilege, access.AskPermission, access.PlanActs, access.ShowLabel,
        access.Endorse,
        approval.Approvals, approval.AnswerApproval, approval.AskHuman,
        budget.SetBudget, budget.TopUp, budget.Budgets,
        audit.AuditRecords, audit.VerifyAudit,
        program.StartProgram, program.FeedProgram, program.ProgramLog,
        tool.ListTools, tool.ShowTool, tool.CallTool, tool.CallTools, tool.AcceptTool,
        tool.AddServer, tool.RemoveServer,
        scheduling.ShowScheduler, scheduling.SetPolicy,
        kernel.Stats, model.AddModel, model.RemoveModel,
    )
}  # fmt: skip

# Made twice they change no more than made once, and cost next to nothing: what lost its answer may
# be asked for again by itself.
REPEATABLE: frozenset[type[Syscall[object]]] = frozenset((
    llm.Tokenize, llm.Embed, llm.Models,
    process.WhoAmI, process.Wait, process.List, process.Inspect, process.Now,
    file.ReadFile, file.Folder, file.Stat, file.Bin, file.SearchFiles, file.Versions, file.Diff,
    file.Links, file.OpenLink, file.Mounts, file.FileUsage,
    memory.Read, memory.Blocks,
    history.Turns, history.Histories, history.Assemble,
    note.Get, note.Search,
    access.Rights, access.CheckAccess, access.ShowLabel,
    approval.Approvals, budget.Budgets, audit.AuditRecords, audit.VerifyAudit,
    tool.ListTools, tool.ShowTool, process.Calls, program.ProgramLog, scheduling.ShowScheduler,
    kernel.Stats,
))  # fmt: skip

VERSION = (
    1  # Raised when a field changes its meaning or goes away; new fields with defaults do not.
)
