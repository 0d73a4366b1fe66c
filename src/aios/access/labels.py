"""Labels: where something came from and who may see it, and what they say of an act. Pure.

Labels form a lattice: joining never forgets a source and never adds a reader. The least label,
`PLAIN`, is that of what the operator and the agents' own programs say: trusted, for anybody.
"""

from collections.abc import Collection, Iterable
from functools import reduce
from typing import Annotated

import msgspec
from msgspec import Meta

from aios.access.base import Effect

SOURCES_MAX = 64  # more than these are not told apart
MANY = "*"  # any source at all
_ALL = frozenset({MANY})

Name = Annotated[str, Meta(min_length=1, max_length=256)]


class Label(msgspec.Struct, frozen=True):
    """No sources: trusted. Readers None: anybody may see it; an empty set: nobody but its owner."""

    sources: frozenset[Name] = frozenset()
    readers: frozenset[Name] | None = None

    @property
    def is_trusted(self) -> bool:
        return not self.sources

    @property
    def is_private(self) -> bool:
        return self.readers is not None


PLAIN = Label()


def label(sources: Iterable[str] = (), readers: Iterable[str] | None = None) -> Label:
    """Names of readers are compared as addresses are: whatever their case."""
    named = None if readers is None else frozenset(map(folded, readers))
    return Label(_bounded(frozenset(sources)), named)


def folded(reader: str) -> str:
    return reader.strip().lower()


def join(one: Label, other: Label) -> Label:
    """All sources of both, and only who may see both. One of the two where that is the answer."""
    if one is other or is_below(other, one):
        return one
    if is_below(one, other):
        return other
    return Label(_bounded(one.sources | other.sources), _shared(one.readers, other.readers))


def joined(labels: Iterable[Label]) -> Label:
    return reduce(join, labels, PLAIN)


def is_below(one: Label, other: Label) -> bool:
    """Whether joining the first to the second changes nothing."""
    return (one.sources <= other.sources or MANY in other.sources) and (
        one.readers is None or (other.readers is not None and other.readers <= one.readers)
    )


def shown(one: Label) -> str:
    """In a line, for people: `from mail, web; for ann@x.org`."""
    parts = [f"from {', '.join(sorted(one.sources))}"] if one.sources else []
    if one.readers is not None:
        parts.append(f"for {', '.join(sorted(one.readers)) or 'its owner'} only")
    return "; ".join(parts)


class Going(msgspec.Struct, frozen=True, kw_only=True):
    """What is judged: an act as labels see it.

    `readers` are those whom it shows what the process knows; None: nobody can tell who they are.
    """

    effect: Effect
    is_leaving: bool = False  # it shows something to somebody outside
    readers: Collection[str] | None = None


class Objection(msgspec.Struct, frozen=True):
    """A rule that an act breaks, and why."""

    rule: str
    reason: str


CONSEQUENCES = frozenset({Effect.CHANGE, Effect.OUTSIDE, Effect.FINAL})
RULE_OF_TWO = "labels: rule of two"
UNTRUSTED = "labels: untrusted input"
READERS = "labels: readers"
ANSWERS = "labels: answers"


def objection(known: Label, going: Going) -> Objection | None:
    """What labels have against an act of a process that knows things of this label.

    Untrusted input leads to no consequence; what is private is shown to its readers only; and the
    two together leave the system not even to a reader. Whoever planned the act while it was trusted
    said what is done and where it goes: then nobody asks this.
    """
    if not known.is_trusted and going.effect in CONSEQUENCES:
        heard = f"it has heard from {_named(known.sources)}, which is not trusted"
        if known.is_private and going.is_leaving:
            return Objection(
                RULE_OF_TWO, f"{heard}, it knows what is private, and this leaves the system"
            )
        return Objection(UNTRUSTED, heard)
    if going.is_leaving and not _may_see(known, going.readers):
        whose = _named(known.readers or ()) or "its owner"
        who = "somebody unknown" if going.readers is None else _named(going.readers)
        return Objection(READERS, f"it knows what only {whose} may see, and shows it to {who}")
    return None


def answer(known: Label) -> Objection | None:
    """What labels have against words to somebody who takes no label with them."""
    if known.is_trusted:
        return None
    heard = f"it has heard from {_named(known.sources)}, which is not trusted"
    return Objection(ANSWERS, f"{heard}, and its words may be theirs")


def _may_see(known: Label, readers: Collection[str] | None) -> bool:
    return known.readers is None or (readers is not None and known.readers.issuperset(readers))


def _named(names: Collection[str]) -> str:
    return ", ".join(sorted(names))


def _bounded(sources: frozenset[str]) -> frozenset[str]:
    return _ALL if MANY in sources or len(sources) > SOURCES_MAX else sources


def _shared(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other
