"""The closed list of syscalls. Handlers, wire schema, documentation and tests derive from it."""

from aios.syscalls import llm, process
from aios.syscalls.base import Syscall, name_of

SYSCALLS: dict[str, type[Syscall[object]]] = {
    name_of(kind): kind
    for kind in (
        llm.Generate, llm.Stream, llm.Cancel, llm.Tokenize, llm.Models,
        process.WhoAmI, process.Spawn, process.Exit, process.Wait, process.Kill, process.Pause,
        process.Resume, process.List, process.Inspect, process.Send, process.Receive,
        process.Attempt, process.Report, process.Now,
    )
}  # fmt: skip

VERSION = (
    1  # Raised when a field changes its meaning or goes away; new fields with defaults do not.
)
