"""What a tool declares beside its schema: one list, whoever offers the tool. Pure data.

A resource is any text that names one thing; `{path}` in it stands for the call's argument `path`.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class ToolTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The terms that a function, a command and the kernel's own record of a tool have alike."""

    instances: Annotated[int, Meta(ge=1)] | None = None  # calls at the same time
    per_minute: Annotated[float, Meta(gt=0)] | None = None  # calls, over all agents
    timeout_s: Annotated[float, Meta(gt=0, le=86_400)] = 300.0
    result_bytes: Annotated[int, Meta(ge=1)] = 256 << 10  # more is cut
    repeatable: bool = False  # twice does no more than once: may be retried, and run after a crash
    retries: Annotated[int, Meta(ge=0, le=10)] = 0  # of a repeatable one, after a moment's error
    final: bool = False  # cannot be undone: a human is asked
    outside: bool = False  # reaches beyond the system
    source: str = ""  # where its results come from; empty: trusted, as the operator's own code
    readers: tuple[str, ...] | None = None  # who may see its results; None: anybody
    recipients: tuple[str, ...] = ()  # arguments that say whom it shows something to
    sensitive: tuple[str, ...] | None = None  # arguments on which harm hangs; None: all of them
    secrets: tuple[str, ...] = ()  # names of the vault's that it is handed
    price: Annotated[float, Meta(ge=0)] = 0.0  # money a call costs


class NamedTerms(ToolTerms, frozen=True, kw_only=True):
    """With the resources that a call touches, by name."""

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    exclusive: tuple[str, ...] = ()  # had alone, though nothing of it changes: an account, a device


class Declared(NamedTerms, frozen=True, kw_only=True):
    """As whoever writes a function declares them."""

    is_declared: bool = False  # it says what it touches, be it nothing: `reads=()`
    keeps: Literal["", "agent", "server"] = ""  # whose what it remembers between calls is
