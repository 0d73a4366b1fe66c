"""The access family: rights handed on, asked for, taken back and explained. Pure data.

Deny by default: an agent may do what its groups and its capabilities say. It hands on only what it
holds as delegable, and never more. An error about another agent's object never tells whether it is
there. A verb is a syscall's name; patterns are those of `fnmatch`, case-sensitive, in which `*`
also passes `/`.
"""

from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from aios.syscalls.base import Ok, Syscall

Agent = Annotated[str, Meta(min_length=1, max_length=512)]
Verb = Annotated[str, Meta(min_length=1, max_length=64)]
Pattern = Annotated[str, Meta(min_length=1, max_length=512)]
Object = Annotated[str, Meta(max_length=4_096)]
Group = Annotated[str, Meta(min_length=1, max_length=64, pattern="^[a-z0-9_-]+$")]
ArgumentName = Annotated[str, Meta(min_length=1, max_length=256)]
CapabilityId = Annotated[str, Meta(min_length=1, max_length=64)]
SELF = "@self"


class Decision(StrEnum):
    ALLOW = "allow"
    DENY = "deny"
    ASK = "ask"  # a human must say yes to exactly this


class GrantRight(Syscall["Capability"], frozen=True, tag="access.grant"):
    """Give an agent a right; with `of`, a narrower part of a delegable one the caller holds.

    Without `of` the first process makes a new one. Asked for more than `of` has, it raises
    `Denied` and gives nothing.
    """

    to: Agent
    verbs: Pattern
    owner: Pattern = SELF
    object: Pattern = "*"
    expires_s: Annotated[float, Meta(gt=0, le=86_400 * 366)] | None = None
    uses: Annotated[int, Meta(ge=1)] | None = None
    delegable: bool = False
    of: Annotated[str, Meta(max_length=64)] = ""


class RevokeRight(Syscall[Ok], frozen=True, tag="access.revoke"):
    """End a capability at once, with all that were derived from it: whoever gave it may."""

    id: CapabilityId


class Rights(Syscall["RightList"], frozen=True, tag="access.list"):
    """The groups and capabilities of the caller, or of an agent below it."""

    agent: Annotated[str, Meta(max_length=512)] = ""


class CheckAccess(Syscall["Verdict"], frozen=True, tag="access.check"):
    """Would this act be allowed, by which rule, and what would allow it? Nothing is done.

    The paper's `check_access`. For the caller, or for an agent below it.
    """

    verb: Verb
    object: Object = ""
    owner: Annotated[str, Meta(max_length=512)] = ""
    agent: Annotated[str, Meta(max_length=512)] = ""


class AddPrivilege(Syscall["RightList"], frozen=True, tag="access.add_privilege"):
    """Put an agent into a privilege group, a named bundle of capabilities (the paper's)."""

    agent: Agent
    group: Group
    remove: bool = False


class AskPermission(Syscall["Capability"], frozen=True, tag="access.ask"):
    """Ask a human for a right the caller lacks; it is the caller's, once the human says yes.

    The paper's `ask_permission`. Waits until then; raises `Denied` on a no and on a timeout.
    """

    verbs: Pattern
    owner: Pattern = SELF
    object: Pattern = "*"
    expires_s: Annotated[float, Meta(gt=0, le=86_400 * 366)] = 3_600.0
    uses: Annotated[int, Meta(ge=1)] | None = None
    reason: Annotated[str, Meta(max_length=1_000)] = ""


class PlannedAct(msgspec.Struct, frozen=True, kw_only=True):
    """An act as it is meant to be: `fixed` arguments have these values, `open` ones any.

    An argument that is neither must not be there. With `verb` tool.call the arguments are those of
    `tool`; with any other syscall's name they are its fields, all of which are to be fixed.
    """

    verb: Verb = "tool.call"
    tool: Annotated[str, Meta(max_length=256)] = ""
    fixed: dict[str, Any] = {}
    open: Annotated[tuple[ArgumentName, ...], Meta(max_length=64)] = ()
    uses: Annotated[int, Meta(ge=1, le=1_000)] = 1


class PlanActs(Syscall["Plan"], frozen=True, tag="access.plan"):
    """Say what the caller is going to do, while it has heard nothing untrusted.

    An act of the plan is as trusted as the plan, whatever the caller hears until then, if all of
    its arguments that the tool calls sensitive are fixed; otherwise a human is asked. Each counts
    as often as its `uses` say. A caller that has heard untrusted things already gets `Denied`.
    """

    acts: Annotated[tuple[PlannedAct, ...], Meta(min_length=1, max_length=256)]


class ShowLabel(Syscall["LabelInfo"], frozen=True, tag="access.label"):
    """Where what a process knows comes from, who may see it, and what is left of its plan.

    Of the caller, or of a process below it.
    """

    pid: Annotated[int, Meta(ge=0)] = 0  # 0: the caller


class Endorse(Syscall["LabelInfo"], frozen=True, tag="access.endorse"):
    """Vouch for what a process knows: from now on it counts as trusted, or as anybody's to see.

    Only who holds a capability for it may. `sources` are those that are vouched for; None: all.
    """

    pid: Annotated[int, Meta(ge=1)]
    sources: Annotated[tuple[ArgumentName, ...], Meta(max_length=64)] | None = None
    public: bool = False  # what it knows may be seen by anybody


class Capability(msgspec.Struct, frozen=True, kw_only=True):
    """An unforgeable right, kept by the kernel in its holder's list; a holder only names it by id.

    `owner` may be `@self`: whoever holds it. A derived one (`parent`) is never wider than what it
    comes from, and ends with it.
    """

    id: str
    holder: str  # the agent that has it
    verbs: str  # `file.read`, `file.*`, `*`
    owner: str = SELF
    object: str = "*"
    expires: float | None = None  # seconds since the epoch, UTC
    uses: int | None = None  # how many acts are left; None: any number
    delegable: bool = False
    parent: str = ""
    given_by: str = ""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided, by which rule, and what would change it."""

    decision: Decision
    rule: str  # the capability, group or policy line that decided, by name
    reason: str = ""  # why not, in words for the caller
    remedy: str = ""  # what would allow it


class RightList(msgspec.Struct, frozen=True, kw_only=True):
    """An agent's groups in order of name, and its capabilities in order of id."""

    agent: str
    groups: tuple[str, ...]
    capabilities: tuple[Capability, ...]


class Plan(msgspec.Struct, frozen=True):
    """What is left of all that the caller declared, in the order of declaring."""

    acts: tuple[PlannedAct, ...]


class LabelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """No sources: trusted. Readers None: anybody may see it."""

    pid: int
    sources: tuple[str, ...]
    readers: tuple[str, ...] | None
    plan: tuple[PlannedAct, ...] = ()
