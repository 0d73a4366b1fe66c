"""The closed list of syscalls. Handlers, wire schema, documentation and tests derive from it."""

from aios.syscalls import history, llm, memory, note, process
from aios.syscalls.base import Syscall, name_of

SYSCALLS: dict[str, type[Syscall[object]]] = {
    name_of(kind): kind
    for kind in (
        llm.Generate, llm.Stream, llm.Cancel, llm.Tokenize, llm.Models,
        process.WhoAmI, process.Spawn, process.Exit, process.Wait, process.Kill, process.Pause,
        process.Resume, process.List, process.Inspect, process.Send, process.Receive,
        process.Attempt, process.Report, process.Now,
        memory.Alloc, memory.Read, memory.Write, memory.Append, memory.Clear, memory.Free,
        memory.Blocks, memory.Share,
        history.Extend, history.Turns, history.Fork, history.Rollback, history.Drop,
        history.Histories, history.Assemble,
        note.Add, note.Get, note.Update, note.Remove, note.Link, note.ShareNote, note.Search,
    )
}  # fmt: skip

VERSION = (
    1  # Raised when a field changes its meaning or goes away; new fields with defaults do not.
)
