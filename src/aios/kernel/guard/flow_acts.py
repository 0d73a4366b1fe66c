"""A call as labels see it: the acts it is, what each shows to whom, which plan it fits. Pure.

Knows what tools declare of themselves, and takes the operator's tools at their word.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from aios.access.acts import ACTS
from aios.access.base import Act, Effect
from aios.access.carries import FILE, PAST, TOOLS, Kind, Place
from aios.access.labels import Going, Label, folded, label
from aios.access.plans import Arguments, Made, made
from aios.kernel.guard.effects import UNKNOWN, effect_of
from aios.kernel.guard.parts import TermsOf
from aios.kernel.process import INIT
from aios.syscalls import access, file, note, process, tool
from aios.syscalls import memory as blocks
from aios.syscalls.base import Syscall
from aios.tools.base import Terms

# What an agent loses of its own by these it loses all the time, or has done itself.
OWN_WORK: frozenset[Kind] = frozenset({
    blocks.Write, blocks.Clear, blocks.Free, note.Update, process.Kill,
})  # fmt: skip
# Vouching needs a capability that says just this; it is what lifts an objection.
VOUCHING: frozenset[Kind] = frozenset({access.Endorse})
_JUDGED_EFFECTS = frozenset({Effect.OUTSIDE, Effect.FINAL})
JUDGED: frozenset[Kind] = (
    frozenset(kind for kind, row in ACTS.items() if row.effect in _JUDGED_EFFECTS)
    | TOOLS
    | frozenset[Kind]({file.Transaction, process.Exit, process.Send})
) - VOUCHING


def words_to_init(parent: int, call: Syscall[Any]) -> Any:
    """What the call tells the first process, as an answer or by mail; None: nothing."""
    if isinstance(call, process.Send):
        return call.body if call.pid == INIT else None
    return call.result if isinstance(call, process.Exit) and parent == INIT else None


class Step(NamedTuple):
    """One of the acts that a call is. `shown` are things that it shows beside what is known."""

    going: Going
    made: Made
    shown: tuple[Place, ...] = ()


def steps(agent: str, act: Act, call: Syscall[Any], terms_of: TermsOf) -> Iterator[Step]:
    """The acts of a call that may break a rule. Changes inside the system bear labels on."""
    for part in parts(call):
        if isinstance(part, tool.CallTool):
            yield _tool_step(part, terms_of(part.name) or UNKNOWN)
            continue
        kind = type(part)
        effect = ACTS[kind].effect
        is_own_work = kind in OWN_WORK and act.owner == agent
        if effect in _JUDGED_EFFECTS and not is_own_work:
            going = Going(effect=effect, is_leaving=effect is Effect.OUTSIDE)
            yield Step(going, made(part), _linked(act.owner, part))


def parts(call: Syscall[Any]) -> tuple[Syscall[Any], ...]:
    if isinstance(call, tool.CallTools):
        return call.calls
    if isinstance(call, file.Transaction):
        return call.steps
    return (call,)


def results_label(call: Syscall[Any], terms_of: TermsOf) -> Iterator[Label]:
    """The labels of what tools return."""
    for part in parts(call):
        terms = terms_of(part.name) if isinstance(part, tool.CallTool) else None
        if terms is not None:
            yield label((terms.source,) if terms.source else (), terms.readers)


def _tool_step(call: tool.CallTool, terms: Terms) -> Step:
    sensitive = None
    if terms.sensitive is not None:
        sensitive = frozenset(terms.sensitive).union(terms.recipients)
    seen = made(call, sensitive)
    going = Going(
        effect=effect_of(terms),
        is_leaving=terms.outside,
        readers=_recipients(terms, seen.arguments),
    )
    return Step(going, seen)


def _linked(owner: str, call: Syscall[Any]) -> tuple[Place, ...]:
    """What a link shows; one to a version may show what the file was before."""
    if not isinstance(call, file.ShareFile):
        return ()
    now = Place(FILE, owner, call.path)
    return (now,) if call.version is None else (now, now._replace(kind=PAST))


def _recipients(terms: Terms, arguments: Arguments | None) -> frozenset[str] | None:
    """Whom the arguments name; None where they do not say it, or cannot be read for certain."""
    if arguments is None or not terms.recipients:
        return None
    named: list[str] = []
    for name in terms.recipients:
        found = _texts(arguments.get(name))
        if found is None:
            return None
        named += found
    return frozenset(map(folded, named)) if named else None


def _texts(value: Any) -> list[str] | None:
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return value
    return None
