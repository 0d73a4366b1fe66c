"""A policy: who is in which group, what is denied, what a human is asked; from TOML. Pure.

Lines hold for every agent but the first process. A deny line wins over every right; an ask line
makes a human's yes of what is allowed.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from aios.access.acts import VERBS
from aios.access.base import Effect
from aios.access.groups import AGENT_GROUP, BUILT_IN, OTHER, TREE, Group, Right
from aios.access.patterns import ANYTHING, pattern
from aios.errors import InvalidArgument
from aios.syscalls.access import SELF
from aios.syscalls.budget import Amount, Resource

Level = Literal["off", "warn", "enforce"]
Answers = Literal["open", "marked", "ask"]
ANSWERS_AT: Mapping[Level, Answers] = {"off": "open", "warn": "marked", "enforce": "ask"}
WORDS = (SELF, TREE, OTHER)
Patterns = Annotated[tuple[str, ...], Meta(min_length=1)]
Tree = Annotated[str, Meta(pattern="^[^/@]+$", max_length=128)]  # an agent's, by its first name
User = Annotated[str, Meta(pattern="^[A-Za-z0-9_.-]+$", max_length=64)]
Groups = tuple[Annotated[str, Meta(pattern="^[a-z0-9_-]+$", max_length=64)], ...]


class Over(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one act may cost at most without a human; None: as much as it likes."""

    tokens: Amount | None = None
    money: Amount | None = None
    calls: Amount | None = None
    bytes: Amount | None = None

    def names(self, resource: Resource) -> float | None:
        """The most of it; time is no cost that is known before."""
        return getattr(self, resource.value, None)


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Some acts of some agents, by a name that refusals and the audit cite.

    With `over` only those that may cost more than that; such a line asks, and never denies.
    """

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    verbs: Patterns = (ANYTHING,)
    agents: Patterns = (ANYTHING,)
    owner: str = ANYTHING
    object: str = ANYTHING
    effects: tuple[Effect, ...] = tuple(Effect)
    over: Over | None = None


class Members(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Agents of these names are in these groups; the first line that names an agent counts."""

    agents: Patterns
    groups: Groups


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`groups` are those beside the built-in ones; `default` those of agents nobody names.

    `answers` is what becomes of words that untrusted words may have made, when they are told to the
    first process, which bears no label; None: as `labels` has it.

    `users` says whose an agent and all below it are: the account `@ann` pays for Ann's.
    """

    labels: Level = "off"
    answers: Answers | None = None
    default: Groups = (AGENT_GROUP,)
    groups: Mapping[str, tuple[Right, ...]] = {}
    agents: tuple[Members, ...] = ()
    deny: tuple[Line, ...] = ()
    ask: tuple[Line, ...] = ()
    users: Mapping[Tree, User] = {}

    @property
    def answering(self) -> Answers:
        return self.answers or ANSWERS_AT[self.labels]

    def user_account(self, agent: str) -> str:
        """The budget account of whose the agent is; empty where nobody is named."""
        user = self.users.get(agent.partition("/")[0], "")
        return user and f"@{user}"

    def group(self, name: str) -> Group | None:
        """The rights of a group; None where there is none of that name."""
        return BUILT_IN.get(name) or self.groups.get(name)

    @property
    def known(self) -> list[str]:
        """The names of all groups."""
        return sorted({*BUILT_IN, *self.groups})

    @property
    def hash(self) -> str:
        """Tells policies apart, whatever their files look like."""
        return sha256(msgspec.json.encode(self, order="sorted")).hexdigest()


_IRREVERSIBLE = Line(
    "irreversible acts",
    verbs=(
        "file.delete", "file.rollback", "history.rollback", "history.drop", "memory.free",
        "memory.clear", "note.remove", "access.grant", "access.add_privilege", "tool.*", "budget.*",
        "program.start",
    ),
    effects=(Effect.FINAL,),
)  # fmt: skip
# Its own working memory an agent rewrites all the time; somebody else's is another matter.
_OTHERS = Line("irreversible acts on others' things", owner=OTHER, effects=(Effect.FINAL,))
_OUTSIDE = Line("acts that leave the system", effects=(Effect.OUTSIDE,))
_DEAR = Line("acts that may cost much", over=Over(money=1.0))

OPEN = Policy()
PERSONAL = Policy(labels="warn", ask=(_IRREVERSIBLE, _OTHERS, _DEAR))
STRICT = Policy(labels="enforce", ask=(_IRREVERSIBLE, _OTHERS, _DEAR, _OUTSIDE))
PROFILES: Mapping[str, Policy] = {"open": OPEN, "personal": PERSONAL, "strict": STRICT}


def parse(text: str, source: str) -> Policy:
    """The policy in a TOML text. Raises `InvalidArgument` that names line, key and expectation.

    `profile` names what it starts from: its lines come after that one's, its levels instead.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise InvalidArgument(f"{source}: expected TOML: {problem}") from None
    try:
        policy = _started_from(table)
    except _Wrong as problem:
        where = "".join(_shown(step) for step in problem.path).lstrip(".")
        line = _line_of(text, problem.path)
        raise InvalidArgument(f"{source}, line {line}: {where}: {problem.why}") from None
    return policy


Path = tuple[str | int, ...]


class _Wrong(Exception):
    """What is wrong at a place of the table."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(why)
        self.path = path
        self.why = why


def _started_from(table: dict[str, Any]) -> Policy:
    profile = table.pop("profile", "open")
    if profile not in PROFILES:
        raise _Wrong(("profile",), f"expected one of {list(PROFILES)}, got {profile!r}")
    try:
        given = msgspec.convert(table, Policy)
    except msgspec.ValidationError as problem:
        said = str(problem).replace(" - at `key` in `$", " of a key - at `$")
        why, _, place = said.partition(" - at `$")
        path = _path(place.rstrip("`"))
        unknown = re.search("unknown field `(.*)`", why)
        if unknown:
            path, why = (*path, unknown[1]), f"expected {_fields_at(path)}, got another key"
        raise _Wrong(path, why) from None
    _check(given)
    base = PROFILES[profile]
    labels = given.labels if "labels" in table else base.labels
    if labels == "off" and given.answers not in (None, "open"):
        raise _Wrong(
            ("answers",), "expected labels to be warn or enforce; without them nobody knows"
        )
    return msgspec.structs.replace(
        given,
        labels=labels,
        deny=(*base.deny, *given.deny),
        ask=(*base.ask, *given.ask),
    )


def _fields_at(path: Path) -> str:
    """The keys there may be at a place whose key is unknown."""
    kind: Any = {"agents": Members, "groups": Right, "deny": Line, "ask": Line}
    found = Over if "over" in path else kind[path[0]] if path else Policy
    names = [field.name for field in msgspec.structs.fields(found)]
    return f"one of {names if path else ['profile', *names]}"


def _path(place: str) -> Path:
    steps = re.findall(r"\.([^.\[\]]+)|\[(\d+)\]|\[(\.\.\.)\]", place)
    return tuple(int(number) if number else name for name, number, _ in steps if name or number)


def _shown(step: str | int) -> str:
    return f"[{step}]" if isinstance(step, int) else f".{step}"


def _check(policy: Policy) -> None:
    """What types cannot say: patterns, verbs and groups that there are."""
    for name, rights in policy.groups.items():
        if name in BUILT_IN:
            raise _Wrong(("groups", name), f"expected another name than the built-in {name!r}")
        for number, right in enumerate(rights):
            _check_patterns(("groups", name, number), right.verbs, right.owner, right.object)
    for number, members in enumerate(policy.agents):
        _check_all(("agents", number, "agents"), members.agents)
        _check_groups(("agents", number, "groups"), members.groups, policy)
    _check_groups(("default",), policy.default, policy)
    for kind in ("deny", "ask"):
        lines: tuple[Line, ...] = getattr(policy, kind)
        for number, line in enumerate(lines):
            _check_patterns((kind, number), line.verbs, line.owner, line.object)
            _check_all((kind, number, "agents"), line.agents)
            if line.over is not None and (kind == "deny" or line.over == Over()):
                raise _Wrong((kind, number, "over"), "expected an amount, in a line that asks")


def _check_groups(path: Path, groups: Groups, policy: Policy) -> None:
    for name in groups:
        if policy.group(name) is None:
            raise _Wrong(path, f"expected some of the groups {policy.known}, got {name!r}")


def _check_patterns(path: Path, verbs: Iterable[str], owner: str, object: str) -> None:
    _check_all((*path, "verbs"), verbs)
    for verb in verbs:
        if not any(pattern(verb).matches(known) for known in VERBS):
            raise _Wrong((*path, "verbs"), f"expected verbs such as file.read, got {verb!r}")
    words = WORDS if path[0] in {"deny", "ask"} else WORDS[:2]
    if owner.startswith("@") and owner not in words:
        raise _Wrong(
            (*path, "owner"), f"expected a pattern of agents or one of {list(words)}, got {owner!r}"
        )
    _check_all((*path, "owner"), () if owner in WORDS else (owner,))
    _check_all((*path, "object"), (object,))


def _check_all(path: Path, patterns: Iterable[str]) -> None:
    for one in patterns:
        try:
            pattern(one)
        except InvalidArgument as problem:
            raise _Wrong(path, problem.message) from None


def _line_of(text: str, path: Path) -> int:
    """Where in the text a key stands, or its table begins; 1 where that is unknown."""
    lines, at = text.splitlines(), 0
    for step, following in zip(path, (*path[1:], None), strict=False):
        if isinstance(step, int):
            continue
        number = following if isinstance(following, int) else 0
        head = re.compile(rf'\s*(\[+\s*([\w"-]+\s*\.\s*)*)?"?{re.escape(step)}"?\s*(\]|\.|=)')
        found = [place for place in range(at, len(lines)) if head.match(lines[place])]
        at = found[min(number, len(found) - 1)] if found else at
    return at + 1
