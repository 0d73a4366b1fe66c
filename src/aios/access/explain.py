"""Decisions in words: why not, and what would allow it. Pure; tells nothing of what is there.

All that is said follows from the question and from the asker's own rights.
"""

from aios.access.monitor import DEFAULT, LENT, Judged, Monitor, Question
from aios.access.standing import Standing
from aios.syscalls.access import Decision, Verdict

SHOWN_MAX = 3  # capabilities that nearly would do


def verdict(monitor: Monitor, standing: Standing, asked: Question, judged: Judged) -> Verdict:
    """The decision with its reason and its remedy."""
    return Verdict(
        decision=judged.decision,
        rule=judged.rule,
        reason=_reason(monitor, standing, asked, judged),
        remedy=_remedy(monitor, asked, judged),
    )


def what(asked: Question) -> str:
    """The act in words."""
    act = asked.act
    thing = f" {act.object!r}" if act.object else ""
    whose = "" if act.owner in ("", asked.agent) else f" of agent {act.owner!r}"
    return f"{act.verb}{thing}{whose}"


def _reason(monitor: Monitor, standing: Standing, asked: Question, judged: Judged) -> str:
    if judged.decision is Decision.ASK:
        return f"a human must say yes to {what(asked)}"
    if judged.rule == LENT:
        return "as far as its owner shares it"
    if judged.decision is Decision.ALLOW:
        return ""
    if judged.rule != DEFAULT:
        return f"the policy denies {what(asked)}"
    groups = ", ".join(standing.groups) or "none"
    reason = f"no right of agent {asked.agent!r} (groups: {groups}) allows {what(asked)}"
    useless = [
        f"{one.id} is {monitor.grants.why_not(one, asked.now)}" for one in monitor.named(asked)
    ]
    return "; ".join([reason, *useless[:SHOWN_MAX]])


def _remedy(monitor: Monitor, asked: Question, judged: Judged) -> str:
    if judged.decision is Decision.ALLOW:
        return ""
    if judged.decision is Decision.ASK:
        return "a human's yes: `aios approvals` shows what waits"
    if judged.rule != DEFAULT:
        return f"the operator changes the policy's {judged.rule}; no right goes past it"
    act = asked.act
    wanted = f"verbs {act.verb!r}, owner {act.owner!r}, object {act.object or '*'!r}"
    ways = [f"a capability with {wanted}, from who has it to give or asked for with access.ask"]
    fitting = monitor.helpful(asked)
    if fitting:
        ways.append(f"or being in one of the groups {', '.join(fitting)}")
    return ", ".join(ways)
