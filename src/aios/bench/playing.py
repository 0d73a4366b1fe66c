"""A cache of blocks without their bytes, on which a rule of eviction plays a stream of uses."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from aios.memory.eviction import Key, Leaving, Rule

NONE_TOLD: Mapping[int, Sequence[Key]] = MappingProxyType({})


def hit_rate(
    rule: Rule,
    uses: Sequence[Key],
    capacity: int,
    ends: Mapping[int, Sequence[Key]] = NONE_TOLD,
) -> float:
    """The share of uses that find their block resident.

    `ends` has blocks whose owner ended after so many uses; a memory room would be told of them.
    """
    told = Leaving(rule)
    resident: set[Key] = set()
    hits = 0
    for number, key in enumerate(uses):
        if number in ends:
            told.left(one for one in ends[number] if one in resident)
        if key in resident:
            hits += 1
            told.touched(key)
            continue
        if len(resident) == capacity:
            resident.remove(told.victim())
        told.added(key)
        resident.add(key)
    return hits / len(uses)
