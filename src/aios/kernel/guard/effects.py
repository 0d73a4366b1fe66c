"""What a call of a tool does at worst, by what the tool declares of itself. Pure.

The first rule that holds counts. Who declares nothing is taken to change something: a tool only
looks where it says so, or where all that it changes are acts of their own, judged as such.
"""

from collections.abc import Callable

from aios.access.base import Effect
from aios.tools.base import Terms

# A server that could not be reached may be there by the time that the tool is looked for.
UNKNOWN = Terms(final=True, outside=True)
OWN_FILES = "file:"  # within the system, of a tool that writes them by syscalls


def effect_of(terms: Terms) -> Effect:
    return next(effect for holds, effect in RULES if holds(terms))


def _only_calls(terms: Terms) -> bool:
    """Whether all that it changes it changes by syscalls: they bear labels on, and are judged."""
    return terms.inside and all(
        one.mode == "read" or one.resource.startswith(OWN_FILES) for one in terms.touches
    )


def _writes(terms: Terms) -> bool:
    return any(one.mode == "write" for one in terms.touches)


def _reads(terms: Terms) -> bool:
    return bool(terms.touches)


def _touches_nothing(terms: Terms) -> bool:
    """Said so, and borne out: what twice does no more than once."""
    return terms.declared and terms.repeatable


RULES: tuple[tuple[Callable[[Terms], bool], Effect], ...] = (
    (lambda terms: terms.final, Effect.FINAL),
    (lambda terms: terms.outside, Effect.OUTSIDE),
    (_only_calls, Effect.READ),
    (_writes, Effect.CHANGE),
    (_reads, Effect.READ),
    (_touches_nothing, Effect.READ),
    (lambda terms: True, Effect.CHANGE),
)
