"""A reference model of rights: sets of (verb, owner, object) over a small world, and no more.

It knows no table of acts, no standing and no automaton. The world holds a witness for every way in
which the patterns of the walk differ, so that among them "covers" and "is a superset" are the same.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import product

AGENTS = ("a", "b", "c", "a/x", "a/z", "b/y")
OBJECTS = ("p", "q", "p/1", "p/2", "p/3", "pp")
VERBS = ("file.read", "file.write", "memory.read")
VERB_PATTERNS = ("[fm]*", "file.*", "file.read", "[fm]*.read", "file.write")
OWNER_PATTERNS = ("*", "a*", "a", "b", "a/*", "@self", "[ab]")
OBJECT_PATTERNS = ("*", "p*", "p/*", "p/[12]", "p/1", "?", "p")
READS = {"file.read", "memory.read"}


@dataclass(kw_only=True)
class Held:
    """A capability."""

    holder: str
    giver: str
    patterns: tuple[str, str, str]
    expires: float | None
    uses: int | None
    delegable: bool
    parent: str

    @cached_property
    def reach(self) -> set[tuple[str, str, str]]:
        """All that it names."""
        verbs, owner, object = self.patterns
        return {
            (v, w, o)
            for v, w, o in product(VERBS, AGENTS, OBJECTS)
            if fnmatchcase(v, verbs)
            and (w == self.holder if owner == "@self" else fnmatchcase(w, owner))
            and fnmatchcase(o, object)
        }


class Model:
    """Who may what. `groups` of an agent are its own, else those of the agent above it."""

    def __init__(self) -> None:
        self.held: dict[str, Held] = {}
        self.groups: dict[str, set[str]] = {}
        self.denied: tuple[str, str] | None = None  # a verb and an object that the policy denies
        self.now = 0.0

    def groups_of(self, agent: str) -> set[str]:
        while agent not in self.groups:
            agent, _, name = agent.rpartition("/")
            if not agent or not name:
                return {"agent"}
        return self.groups[agent]

    def chain(self, id: str) -> list[Held]:
        found = [self.held[id]]
        while found[-1].parent:
            found.append(self.held[found[-1].parent])
        return found

    def holds(self, id: str) -> bool:
        return all(
            (one.expires is None or one.expires > self.now) and one.uses != 0
            for one in self.chain(id)
        )

    def by_group(self, agent: str, verb: str, owner: str) -> bool:
        own = owner == agent
        below = own or owner.startswith(f"{agent}/")
        rules = {"agent": below, "reader": own and verb in READS, "writer": verb == "file.write"}
        return any(rules[group] for group in self.groups_of(agent))

    def allows(self, agent: str, verb: str, owner: str, object: str) -> str | None:
        """None: no; empty: by a group; else the ids that may have allowed it."""
        if self.denied == (verb, object):
            return None
        if self.by_group(agent, verb, owner):
            return ""
        good = [
            id
            for id, one in self.held.items()
            if one.holder == agent and (verb, owner, object) in one.reach and self.holds(id)
        ]
        limited = {id: sum(one.uses is not None for one in self.chain(id)) for id in good}
        return min(good, key=lambda id: (limited[id], id), default=None)

    def use(self, id: str) -> None:
        for one in self.chain(id):
            if one.uses is not None:
                one.uses -= 1

    def manages(self, agent: str) -> bool:
        """Whether its groups let it hand on and take back at all."""
        return "agent" in self.groups_of(agent)

    def may_derive(self, agent: str, of: str, wish: Held) -> bool:
        one = self.held.get(of)
        if not self.manages(agent):
            return False
        if one is None or one.holder != agent or not one.delegable or not self.holds(of):
            return False
        later = None not in (wish.expires, one.expires) and wish.expires > one.expires  # type: ignore[operator]
        more = None not in (wish.uses, one.uses) and wish.uses > one.uses  # type: ignore[operator]
        return not later and not more and wish.reach <= one.reach

    def revoke(self, id: str) -> None:
        for below in [key for key, one in self.held.items() if one.parent == id]:
            self.revoke(below)
        self.held.pop(id, None)

    def sweep(self) -> None:
        """A kernel that starts forgets what is over."""
        for id, one in list(self.held.items()):
            if one.uses == 0 or (one.expires is not None and one.expires <= self.now):
                self.revoke(id)
