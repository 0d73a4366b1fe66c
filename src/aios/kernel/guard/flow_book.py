"""The labels of processes and things, in RAM: what has none is trusted, and anybody's. Pure.

A label rises at once, before what raises it can be seen. It falls only when what it stood for is
gone for certain: a change says what will be, and `settle` makes it so if nobody touched the place
meanwhile. Knows no journal; it tells which labels the journal is to keep.
"""

from collections.abc import Iterable, Iterator

from aios.access.carries import EVERY, FILE, PAST, Carried, Place
from aios.access.labels import PLAIN, Label, join, joined

IN_FOLDERS = frozenset({FILE, PAST})


class Change:
    """What one call does to labels: `will` is what the journal keeps once it is durable."""

    __slots__ = ("falls", "will")

    def __init__(self) -> None:
        self.will: dict[Place, Label] = {}
        self.falls: set[Place] = set()


class Book:
    """Invariant: no place has the plain label here."""

    def __init__(self) -> None:
        self._labels: dict[tuple[str, str], dict[str, Label]] = {}  # by kind and owner, by name
        self._falling: dict[Place, Change] = {}  # which change lets a place's label fall

    def restore(self, place: Place, label: Label) -> None:
        self._put(place, label)

    def of(self, place: Place) -> Label:
        """A thing's label. What lies in a folder bears the folder's too."""
        named = self._labels.get(place[:2])
        if named is None:
            return PLAIN
        if place.name == EVERY:
            return joined(named.values())
        if place.kind in IN_FOLDERS:
            return joined(named[name] for name in _above(place.name) if name in named)
        return named.get(place.name, PLAIN)

    def told(self, carried: Carried) -> Label:
        """What a caller learns."""
        return joined(map(self.of, carried.told))

    def change(self, steps: Iterable[Carried], of_caller: Label) -> Change:
        """What these do, in their order. Labels that rise have risen when this returns."""
        change = Change()
        for step in steps:
            for source, target in step.copied:
                self._raise(change, target, self._whole(source, change.will))
            for place in step.cleared:
                for one in self._within(place, change.will):
                    change.will[one] = PLAIN
            for place in step.given:
                self._raise(change, place, of_caller)
        self._take(change)
        return change

    def raised(self, place: Place, label: Label) -> Change:
        """One label rises."""
        change = Change()
        self._raise(change, place, label)
        self._take(change)
        return change

    def lowered(self, place: Place, label: Label) -> Change:
        """One label is to be this, whatever it was."""
        change = Change()
        change.will[place] = label
        self._take(change)
        return change

    def settle(self, change: Change, *, is_done: bool) -> None:
        """The change is durable, or came to nothing: what it let fall falls, or stays."""
        for place in change.falls:
            if self._falling.get(place) is change:
                del self._falling[place]
                if is_done:
                    self._put(place, change.will[place])

    def forget(self, place: Place) -> None:
        """The thing is no more."""
        self._put(place, PLAIN)

    def names(self, kind: str) -> list[str]:
        """Of things of that kind without an owner."""
        return list(self._labels.get((kind, ""), ()))

    def __bool__(self) -> bool:
        """Whether anything at all has a label."""
        return bool(self._labels)

    def __len__(self) -> int:
        return sum(map(len, self._labels.values()))

    def _whole(self, place: Place, will: dict[Place, Label]) -> Label:
        """With all that lies in it."""
        inside = self._within(place, will)
        return joined([self.of(place), *(will.get(one, self.of(one)) for one in inside)])

    def _within(self, place: Place, will: dict[Place, Label]) -> Iterator[Place]:
        named = self._labels.get(place[:2], {})
        known = {place._replace(name=name) for name in named}
        known |= {one for one in will if one[:2] == place[:2]}
        below = f"{place.name}/"
        return iter(
            sorted(
                one
                for one in known
                if one == place or (place.kind in IN_FOLDERS and one.name.startswith(below))
            )
        )

    def _raise(self, change: Change, place: Place, label: Label) -> None:
        """Nothing is to be changed where the label is there already."""
        now = change.will.get(place)
        if now is None:
            now = self._labels.get(place[:2], {}).get(place.name, PLAIN)
        higher = join(now, label)
        if higher is not now or place in self._falling:
            change.will[place] = higher

    def _take(self, change: Change) -> None:
        """Whatever else was to fall stays: somebody has written there since."""
        for place, label in change.will.items():
            self._falling.pop(place, None)
            now = self._labels.get(place[:2], {}).get(place.name, PLAIN)
            both = join(now, label)
            self._put(place, both)
            if both != label:
                change.falls.add(place)
                self._falling[place] = change

    def _put(self, place: Place, label: Label) -> None:
        key = place[:2]
        if label == PLAIN:
            named = self._labels.get(key)
            if named is not None:
                named.pop(place.name, None)
                if not named:
                    del self._labels[key]
        else:
            self._labels.setdefault(key, {})[place.name] = label


def _above(path: str) -> Iterator[str]:
    """A path and the folders it lies in, the root too."""
    yield path
    while path:
        path = path.rpartition("/")[0]
        yield path
