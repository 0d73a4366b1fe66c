"""The ABI: frozen data that agents and kernel exchange. Import the families from here."""

from aios.syscalls import llm, process
from aios.syscalls.base import Ok, Syscall, name_of
from aios.syscalls.llm import (
    Beams,
    Cancel,
    Choice,
    Completion,
    Decoding,
    Delta,
    Generate,
    Message,
    ModelInfo,
    ModelList,
    Models,
    Stream,
    Timing,
    Tokenize,
    Tokenized,
    TokenLogprob,
    ToolCall,
    ToolSpec,
    Usage,
)
from aios.syscalls.process import (
    Attempt,
    Attempted,
    Exit,
    Exited,
    Inspect,
    Kill,
    List,
    Mail,
    Moment,
    Now,
    Pause,
    Pid,
    ProcessInfo,
    ProcessList,
    ProcessState,
    Receive,
    Report,
    Resume,
    Send,
    Spawn,
    Spawned,
    Wait,
    WhoAmI,
)

__all__ = [
    "Attempt", "Attempted", "Beams", "Cancel", "Choice", "Completion", "Decoding", "Delta",
    "Exit", "Exited", "Generate", "Inspect", "Kill", "List", "Mail", "Message", "ModelInfo",
    "ModelList", "Models", "Moment", "Now", "Ok", "Pause", "Pid", "ProcessInfo", "ProcessList",
    "ProcessState", "Receive", "Report", "Resume", "Send", "Spawn", "Spawned", "Stream",
    "Syscall", "Timing", "TokenLogprob", "Tokenize", "Tokenized", "ToolCall", "ToolSpec", "Usage",
    "Wait", "WhoAmI", "llm", "name_of", "process",
]  # fmt: skip
