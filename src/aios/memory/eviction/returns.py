"""Learns which keys return, and gives up those that are least likely to.

What agents keep is used again at each of their turns until they end, which no key tells. But how
many turns agents take is alike from one to the next: after each reading, a share of the keys comes
back, and the longer a key has been away, the likelier it is among the others. So keys are of one
kind that were read equally often, those of a run as often as its first; for each kind it is counted
how many there were and after how long they returned. That gives the chance that a key returns
though it has been away so long. It falls with time, so that only the oldest of each kind compare.

What LRU cannot see: where many agents take two turns and few take three, those that took their
first are to be kept, though others were used later.
"""

from collections import OrderedDict

from aios.memory.eviction.base import Key
from aios.memory.eviction.moments import Moments

BITS = 3  # of a kind
KINDS = 1 << BITS  # read once, twice, ..., this often or more
AGES = 2 * 48  # half powers of two: a count of uses that no life reaches
COMPUTED = 64  # uses, at least, after which chances are computed again
SEEN_MAX = 1 << 16  # keys of a kind; what is counted beyond counts half
DOUBT = 1.0  # keys that never return, which every kind is believed to have had from the beginning


class Returns:
    """Moments are given, those of one run alike. Every method is O(1), amortised."""

    def __init__(self, *, history_max: int) -> None:
        self._history_max = history_max
        # Moment of the last use, and kind in the lowest bits: a tuple for every key costs more than
        # all the rest. Gone keys too.
        self._last: dict[Key, int] = {}
        self._kinds = [_Kind() for _ in range(KINDS)]
        self._gone: OrderedDict[Key, None] = OrderedDict()  # longest gone first, all in _last
        self._run = self._run_kind = self._run_known = 0
        self._fresh: list[Key] = []  # of this run, in order of their first use
        self._moment = 0
        self._until_computed = 0
        self._chosen, self._until_chosen = self._kinds[0], 0

    def use(self, key: Key, moment: int) -> bool:
        """The key is used and resident from now on; whether it was resident before."""
        self._moment = moment
        if moment != self._run:
            self._end_run()
            first = self._last.get(key)
            kind = 0 if first is None else min(first % KINDS + 1, KINDS - 1)
            self._run, self._run_kind = moment, kind
        last = self._last.get(key)
        kind, was_resident = 0, False
        if last is None:
            if len(self._fresh) * 2 <= self._run_known:
                self._fresh.append(key)
        else:
            self._run_known += 1
            before, there = last >> BITS, self._kinds[last % KINDS]
            was_resident = key not in self._gone
            if was_resident:
                there.waiting.discard(before, key)
            else:
                del self._gone[key]
            there.returned[_half_power(moment - before)] += 1
            kind = self._run_kind
        self._last[key] = moment << BITS | kind
        there = self._kinds[kind]
        there.waiting.add(moment, key)
        there.seen += 1
        self._until_computed -= 1
        return was_resident

    def remove(self, key: Key) -> None:
        """Forget the key and its past; it says nothing about others of its kind."""
        last = self._last.pop(key, None)
        if last is None:
            return
        there = self._kinds[last % KINDS]
        there.seen -= 1
        if key in self._gone:
            del self._gone[key]
        else:
            there.waiting.discard(last >> BITS, key)

    def pop(self) -> Key:
        """Give up the key that is least likely to return."""
        self._until_chosen -= 1
        if self._until_chosen < 0 or not self._chosen.waiting:
            self._choose()
        key = self._chosen.waiting.pop()
        self._remember(key)
        return key

    def give_up(self, key: Key) -> None:
        """As if `pop` had chosen this resident key."""
        last = self._last[key]
        self._kinds[last % KINDS].waiting.discard(last >> BITS, key)
        self._remember(key)

    def __len__(self) -> int:
        return len(self._last) - len(self._gone)

    def _end_run(self) -> None:
        """Tell what an agent added to its own from what the next one began with."""
        if 2 * len(self._fresh) <= self._run_known:
            for key in self._fresh:
                self._move(key)
        self._fresh.clear()
        self._run_known = 0

    def _move(self, key: Key) -> None:
        last, moment = self._last.get(key), self._run
        if last is None or last >> BITS != moment:
            return
        before, after = self._kinds[last % KINDS], self._kinds[self._run_kind]
        before.seen -= 1
        after.seen += 1
        self._last[key] = moment << BITS | self._run_kind
        if key not in self._gone:
            before.waiting.discard(moment, key)
            after.waiting.add(moment, key)

    def _remember(self, key: Key) -> None:
        self._gone[key] = None
        if len(self._gone) > self._history_max:
            longest, _ = self._gone.popitem(last=False)
            del self._last[longest]  # It counts as one that never returned.

    def _choose(self) -> None:
        """Which kind's oldest goes: now, and for as many victims as make no difference."""
        if self._until_computed <= 0:
            self._until_computed = max(COMPUTED, len(self) // 16)
            for kind in self._kinds:
                kind.compute()
        least = 2.0
        for kind in self._kinds:
            if kind.waiting:
                chance = kind.chances[_half_power(self._moment - kind.waiting.oldest)]
                if chance < least:
                    least, self._chosen = chance, kind
        self._until_chosen = len(self) // 128


class _Kind:
    """Keys that were read equally often."""

    __slots__ = ("chances", "returned", "seen", "waiting")

    def __init__(self) -> None:
        self.waiting = Moments()  # resident ones, by their last use
        self.seen = 0.0  # so many there were
        self.returned = [0.0] * AGES  # of which returned, by how long they were away
        self.chances = [0.0] * AGES  # to return still, by how long they have been away

    def compute(self) -> None:
        """Chances from what was counted."""
        if self.seen > SEEN_MAX:
            self.seen /= 2
            self.returned = [count / 2 for count in self.returned]
        left, to_return = max(self.seen, 0.0) + DOUBT, sum(self.returned)
        for age, count in enumerate(self.returned):
            self.chances[age] = to_return / max(left, to_return + DOUBT)
            left -= count
            to_return -= count


def _half_power(age: int) -> int:
    """Which half power of two the age has reached."""
    bits = age.bit_length()
    return 2 * bits + (age >> bits - 2 & 1) if bits > 1 else bits
