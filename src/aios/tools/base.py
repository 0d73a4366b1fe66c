"""A tool as the kernel has it: what it is, what it touches, how it is run. Pure shape.

Knows no agent, no access and no journal: the kernel decides who may call, and remembers.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, Protocol

import msgspec

from aios.syscalls.base import Syscall
from aios.syscalls.tool import Content, ToolInfo

Mode = Literal["read", "write"]


class Touch(msgspec.Struct, frozen=True):
    """One resource that a call touches. Readers share; a writer is alone with it.

    `resource` is a template over the call's arguments, `file:{path}`, and the calling agent,
    `inbox:{agent}`; without braces it is one resource for all calls.
    """

    resource: str
    mode: Mode


class Keeping(msgspec.Struct, frozen=True, kw_only=True):
    """Something stays in the tool's server after a call, and a later call may tell of it."""

    by: Literal["agent", "server"]  # each agent has its own; or there is one for all
    is_there: Callable[[str], bool] | None = None  # anything of that agent's; None: nobody can say


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool declares of itself beside its schema."""

    touches: tuple[Touch, ...] = ()  # nothing declared: it may run beside everything
    declared: bool = False  # it says what it touches, be it nothing
    inside: bool = False  # all that it writes of files it writes by syscalls, as its caller
    instances: int | None = None  # calls at the same time
    per_minute: float | None = None  # calls, over all agents
    timeout_s: float = 300.0
    result_bytes: int = 256 << 10
    repeatable: bool = False  # twice does no more than once: may be retried, and run after a crash
    retries: int = 0  # of a repeatable one, after an error of a moment
    final: bool = False  # cannot be undone: a human is asked
    outside: bool = False  # reaches beyond the system
    source: str = ""  # where its results come from; empty: trusted, as the operator's own code
    readers: tuple[str, ...] | None = None  # who may see its results; None: anybody
    recipients: tuple[str, ...] = ()  # arguments that say whom it shows something to
    sensitive: tuple[str, ...] | None = None  # arguments on which harm hangs; None: all of them
    secrets: tuple[str, ...] = ()  # names of the vault's that it is handed
    price: float = 0.0  # money a call costs
    keeps: Keeping | None = None  # None: calls leave nothing for each other


class Outside(Protocol):
    """What a running tool may ask of the kernel, as its caller: the caller's rights, no more."""

    pid: int
    agent: str
    key: str  # the same for the same call, also when it is made again; empty: none

    async def call(self, call: Syscall[Any]) -> Any: ...

    def secret(self, name: str) -> str: ...


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """Contents, and how they came about."""

    contents: tuple[Content, ...]
    is_error: bool = False  # the tool says itself that it failed
    remarks: tuple[str, ...] = ()
    sandbox: str = ""  # the tier it ran under


Run = Callable[[Mapping[str, Any], Outside], Awaitable[tuple[Content, ...] | Ran]]
"""Checked arguments in, contents out. Raises `AiosError`; any other exception is the tool's own
failure, told to the agent as the tool's error.

Cancelled, it ends its work and then itself: as long as it has not ended, its holds last.
"""


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool of the registry. `info.pin` is the hash of all of it that is data."""

    info: ToolInfo
    terms: Terms
    run: Run
    program: Any = None  # what `run` carries out, where that is data: argv and what goes with it


class Source(Protocol):
    """Where tools come from: a set of them that may change while the kernel runs."""

    name: str  # the namespace of its tools: `name/tool`

    async def tools(self) -> tuple[Tool, ...]:
        """What there is now, told at once: the very same tuple as long as nothing has changed.

        It is asked before every call, so it waits for nothing but its first connection.
        """
        ...

    async def close(self) -> None: ...
