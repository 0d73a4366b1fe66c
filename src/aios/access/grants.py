"""Who holds which capability, and what of it is left. Pure; keeps them, judges nothing.

An act uses up what allows it: the capability and all that it was derived from, so that what is
handed on adds nothing. From when it begins until it is done or has failed its use is set aside, so
that acts side by side cannot use the same one.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from aios.syscalls.access import Capability


class Grants:
    """Invariants: a derived one's parent is here; 0 <= free <= uses of every limited one."""

    def __init__(self, capabilities: Iterable[Capability] = ()) -> None:
        self._by_id: dict[str, Capability] = {}
        self._by_holder: dict[str, dict[str, Capability]] = {}
        self._listed: dict[
            str, tuple[Capability, ...]
        ] = {}  # as `of` shows them, until they change
        self._derived: dict[str, set[str]] = {}
        self._given: Counter[str] = Counter()  # by who gave them
        self.changes = 0  # how often one came or went
        self._free: dict[str, int] = {}  # uses that no act under way has set aside
        for one in capabilities:
            self.add(one)

    def get(self, id: str) -> Capability | None:
        return self._by_id.get(id)

    def of(self, agent: str) -> tuple[Capability, ...]:
        """In order of id."""
        held = self._by_holder.get(agent)
        if held is None:
            return ()
        known = self._listed.get(agent)
        if known is None:
            known = self._listed[agent] = tuple(held[id] for id in sorted(held))
        return known

    def given(self, agent: str) -> int:
        """How many an agent has given that still are."""
        return self._given[agent]

    def all(self) -> Iterable[Capability]:
        return self._by_id.values()

    def add(self, one: Capability) -> None:
        assert one.id not in self._by_id
        assert not one.parent or one.parent in self._by_id
        self.changes += 1
        self._by_id[one.id] = one
        self._given[one.given_by] += 1
        self._listed.pop(one.holder, None)
        self._by_holder.setdefault(one.holder, {})[one.id] = one
        if one.parent:
            self._derived.setdefault(one.parent, set()).add(one.id)
        if one.uses is not None:
            self._free[one.id] = one.uses

    def family(self, id: str) -> list[str]:
        """A capability and all that come from it, parents first."""
        found = [id]
        for one in found:
            found += sorted(self._derived.get(one, ()))
        return found

    def drop(self, id: str) -> None:
        """End one and all that come from it."""
        self.changes += 1
        for gone in reversed(self.family(id)):
            one = self._by_id.pop(gone)
            self._given[one.given_by] -= 1
            self._listed.pop(one.holder, None)
            held = self._by_holder[one.holder]
            del held[gone]
            if not held:
                del self._by_holder[one.holder]
            if one.parent:
                self._derived[one.parent].discard(gone)
            self._derived.pop(gone, None)
            self._free.pop(gone, None)

    def why_not(self, one: Capability, now: float) -> str:
        """Why it is good for nothing; empty where it is good."""
        source = one
        while True:
            if source.expires is not None and source.expires <= now:
                return "expired"
            if source.uses is not None and self._free[source.id] <= 0:
                return "used up"
            if not source.parent:
                return ""
            source = self._by_id[source.parent]

    def lasts(self, one: Capability) -> bool:
        """Whether it is good until it is revoked."""
        return all(source.expires is None and source.uses is None for source in self._sources(one))

    def limited(self, one: Capability) -> tuple[str, ...]:
        """Which are used by an act that this one allows."""
        if one.uses is None and not one.parent:
            return ()
        return tuple(source.id for source in self._sources(one) if source.uses is not None)

    def set_aside(self, ids: Iterable[str]) -> None:
        for id in ids:
            self._free[id] -= 1
            assert self._free[id] >= 0

    def give_back(self, ids: Iterable[str]) -> None:
        """The act came to nothing."""
        for id in ids:
            if id in self._free:
                self._free[id] += 1

    def use_up(self, ids: Iterable[str]) -> None:
        """The act is done."""
        for id in ids:
            one = self._by_id.get(id)
            if one is not None and one.uses is not None:
                self._listed.pop(one.holder, None)
                used = msgspec.structs.replace(one, uses=one.uses - 1)
                self._by_id[id] = self._by_holder[one.holder][id] = used

    def _sources(self, one: Capability) -> Iterator[Capability]:
        """It, and what it comes from."""
        source: Capability | None = one
        while source is not None:
            yield source
            source = self._by_id.get(source.parent)
