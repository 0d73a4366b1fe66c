"""The optimum (Belady 1966): what is needed again latest goes. It has to know the future."""

from collections.abc import Sequence
from heapq import heappop, heappush


def hits(uses: Sequence[int], capacity: int) -> int:
    """How many uses the best of all rules finds resident."""
    following = _next_uses(uses)
    due: dict[int, int] = {}  # resident: when it is used next
    latest: list[tuple[int, int]] = []  # (-next use, key), stale ones too
    found = 0
    for at, key in enumerate(uses):
        if key in due:
            found += 1
        elif len(due) == capacity:
            while due.get(latest[0][1]) != -latest[0][0]:
                heappop(latest)
            del due[heappop(latest)[1]]
        due[key] = following[at]
        heappush(latest, (-following[at], key))
    return found


def _next_uses(uses: Sequence[int]) -> list[int]:
    never = len(uses)
    seen: dict[int, int] = {}
    following = [never] * len(uses)
    for at in range(len(uses) - 1, -1, -1):
        following[at] = seen.get(uses[at], never)
        seen[uses[at]] = at
    return following
