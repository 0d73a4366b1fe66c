"""Privilege groups: named bundles of rights, and those that are there without any policy. Pure.

A right's owner is a pattern of agents, or a word: `@self`, whoever has the right; `@tree`, that
agent and those below it; in lines of a policy also `@other`, anybody else.
"""

from collections.abc import Iterable, Mapping

import msgspec

from aios.access.patterns import ANYTHING, pattern
from aios.syscalls.access import SELF

TREE = "@tree"
OTHER = "@other"
INIT_GROUP = "init"
AGENT_GROUP = "agent"


class Right(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """These verbs on these objects of these agents."""

    verbs: tuple[str, ...]
    owner: str = SELF
    object: str = ANYTHING

    def names(self, verb: str) -> bool:
        return any(pattern(one).matches(verb) for one in self.verbs)


Group = tuple[Right, ...]
_COMPUTING = Right(
    (
        "llm.*",
        "process.whoami",
        "process.now",
        "tool.list",
        "access.check",
        "access.plan",
        "access.label",
    )
)
_LIVING = Right((
    "process.exit", "process.list", "process.inspect", "process.wait", "process.receive",
    "process.attempt", "process.report", "process.calls", "access.list", "access.ask",
    "approval.ask", "budget.list", "kernel.stats", "program.log",
), TREE)  # fmt: skip
_OWN_TREE = Right((
    "process.spawn", "process.kill", "process.pause", "process.resume", "access.grant",
    "access.revoke", "access.add_privilege", "access.check", "memory.*", "history.*", "note.*",
    "program.feed",
), TREE)  # fmt: skip
_FILES_READ = (
    "file.read", "file.list", "file.stat", "file.bin", "file.search", "file.versions", "file.diff",
    "file.links", "file.open_link", "file.mounts", "file.usage",
)  # fmt: skip
_FILES_CHANGED = (
    "file.create", "file.mkdir", "file.write", "file.append", "file.edit", "file.move", "file.copy",
    "file.delete", "file.restore", "file.rollback", "file.share", "file.revoke", "file.transaction",
)  # fmt: skip
_MEMORY_READ = (
    "memory.read", "memory.list", "history.read", "history.list", "history.assemble", "note.get",
    "note.search",
)  # fmt: skip

BUILT_IN: Mapping[str, Group] = {
    # The first process: everything, and no line of a policy stands in its way.
    INIT_GROUP: (Right((ANYTHING,), ANYTHING),),
    # What an agent may do that nobody said anything of: all to what is its own or below it.
    AGENT_GROUP: (
        _COMPUTING,
        _LIVING,
        _OWN_TREE,
        Right((*_FILES_READ, *_FILES_CHANGED), TREE),
        Right(("tool.call", "tool.batch")),
        Right(("process.send",), ANYTHING),
    ),
    # Thinks, and looks at what is its own; changes nothing.
    "reader": (_COMPUTING, _LIVING, Right((*_FILES_READ, *_MEMORY_READ))),
    # In the human's place: answers what agents ask.
    "approver": (Right(("approval.*",)),),
    # Sees what was decided.
    "auditor": (Right(("audit.*",)),),
}  # fmt: skip


def is_within(narrow: Iterable[Right], wide: Iterable[Right]) -> bool:
    """Whether the first are no more than the second: proved, or False.

    Each right is compared with each alone: what two of them cover only together is not proved.
    """
    all_of_them = tuple(wide)
    return all(
        any(_covers_verb(other, verb) and _is_narrower(one, other) for other in all_of_them)
        for one in narrow
        for verb in one.verbs
    )


def _covers_verb(wide: Right, verb: str) -> bool:
    return any(pattern(one).covers(pattern(verb)) for one in wide.verbs)


def _is_narrower(one: Right, other: Right) -> bool:
    """What is a child's own is in its parent's tree, and its tree too."""
    owners = {SELF: (SELF, TREE, ANYTHING), TREE: (TREE, ANYTHING)}.get(one.owner)
    if owners is None:
        is_owned = not other.owner.startswith("@") and pattern(other.owner).covers(
            pattern(one.owner)
        )
    else:
        is_owned = other.owner in owners
    return is_owned and pattern(other.object).covers(pattern(one.object))
