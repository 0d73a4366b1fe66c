"""A tool as the kernel has it: what it is, what it touches, how it is run. Pure shape.

Knows no agent, no access and no journal: the kernel decides who may call, and remembers.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, Protocol

import msgspec

from aios.syscalls.base import Syscall
from aios.syscalls.terms import NamedTerms, ToolTerms
from aios.syscalls.tool import Content, ToolInfo

Mode = Literal["read", "write"]


class Touch(msgspec.Struct, frozen=True):
    """One resource that a call touches. Readers share; a writer is alone with it.

    `resource` is a template over the call's arguments, `file:{path}`; without braces it is one
    resource for all calls.
    """

    resource: str
    mode: Mode


class Keeping(msgspec.Struct, frozen=True, kw_only=True):
    """Something stays in the tool's server after a call, and a later call may tell of it."""

    by: Literal["agent", "server"]  # each agent has its own; or there is one for all
    is_there: Callable[[str], bool] | None = None  # anything of that agent's; None: nobody can say


class Terms(ToolTerms, frozen=True, kw_only=True):
    """What a tool declares of itself beside its schema, as the kernel goes by it."""

    touches: tuple[Touch, ...] = ()  # nothing declared: it may run beside everything
    declared: bool = False  # it says what it touches, be it nothing
    inside: bool = False  # all that it writes of files it writes by syscalls, as its caller
    keeps: Keeping | None = None  # None: calls leave nothing for each other


def touches_of(one: NamedTerms) -> tuple[Touch, ...]:
    """What is had alone is as good as written."""
    reads = (Touch(name, "read") for name in one.reads)
    return (*reads, *(Touch(name, "write") for name in (*one.writes, *one.exclusive)))


def alike(one: ToolTerms) -> dict[str, Any]:
    """The terms that stand in every declaration."""
    return {name: getattr(one, name) for name in ToolTerms.__struct_fields__}


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
