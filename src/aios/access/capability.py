"""What a capability allows, and that a derived one is never wider than what it comes from. Pure."""

from difflib import get_close_matches

from aios.access.acts import VERBS
from aios.access.base import Act
from aios.access.patterns import escaped, pattern
from aios.errors import Denied, InvalidArgument
from aios.syscalls.access import SELF, AskPermission, Capability, GrantRight

Wish = GrantRight | AskPermission


def allows(one: Capability, act: Act, *, is_own: bool, is_whole: bool) -> bool:
    """Whether it names this act; `is_whole`: one whose parts name the objects."""
    if one.verbs != act.verb and not pattern(one.verbs).matches(act.verb):
        return False
    if one.owner == SELF:
        is_owned = is_own
    else:
        is_owned = one.owner == act.owner or pattern(one.owner).matches(act.owner)
    return is_owned and (is_whole or pattern(one.object).matches(act.object))


def new(wish: Wish, id: str, holder: str, given_by: str, now: float) -> Capability:
    """The capability that is wished for, of nobody's."""
    return Capability(
        id=id,
        holder=holder,
        verbs=_verbs(wish.verbs),
        owner=_owner(wish.owner),
        object=_checked("object", wish.object),
        expires=None if wish.expires_s is None else now + wish.expires_s,
        uses=wish.uses,
        delegable=isinstance(wish, GrantRight) and wish.delegable,
        given_by=given_by,
    )


def derived(wish: GrantRight, of: Capability, id: str, now: float) -> Capability:
    """A part of `of` for another holder. Raises `Denied` where it is not proved to be one.

    What the wish leaves open, an end and a number of uses, is as `of` has it.
    """
    one = new(wish, id, wish.to, of.holder, now)
    reasons = {
        "delegable": not of.delegable,
        "verbs": not pattern(of.verbs).covers(pattern(one.verbs)),
        "owner": not pattern(_agents(of)).covers(pattern(_agents(one))),
        "object": not pattern(of.object).covers(pattern(one.object)),
        "expires_s": None not in (one.expires, of.expires) and one.expires > of.expires,  # type: ignore[operator]  # neither is None
        "uses": None not in (one.uses, of.uses) and one.uses > of.uses,  # type: ignore[operator]  # neither is None
    }
    wider = [field for field, is_wider in reasons.items() if is_wider]
    if "delegable" in wider:
        raise Denied(f"capability {of.id} cannot be handed on; expected a delegable one")
    if wider:
        raise Denied(
            f"{', '.join(wider)}: expected no more than capability {of.id} has, which is "
            f"{of.verbs} on {of.object!r} of {of.owner!r}"
        )
    return Capability(
        id=id,
        holder=one.holder,
        verbs=one.verbs,
        owner=one.owner,
        object=one.object,
        expires=of.expires if one.expires is None else one.expires,
        uses=of.uses if one.uses is None else one.uses,
        delegable=one.delegable,
        parent=of.id,
        given_by=of.holder,
    )


def _agents(one: Capability) -> str:
    """The pattern of the agents whose things it is about."""
    return escaped(one.holder) if one.owner == SELF else one.owner


def _owner(text: str) -> str:
    if text.startswith("@") and text != SELF:
        raise InvalidArgument(f"owner: expected a pattern of agents or {SELF}, got {text!r}")
    return _checked("owner", text)


def _verbs(text: str) -> str:
    """What names no verb would be a right to nothing: a mistake, told before it is trusted."""
    if not any(pattern(_checked("verbs", text)).matches(verb) for verb in VERBS):
        near = get_close_matches(text, VERBS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise InvalidArgument(f"verbs: expected such as file.read or file.*, got {text!r}{hint}")
    return text


def _checked(field: str, text: str) -> str:
    try:
        pattern(text)
    except InvalidArgument as problem:
        raise InvalidArgument(f"{field}: {problem}") from None
    return text
