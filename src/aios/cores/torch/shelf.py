"""What is kept in RAM and DISK of generations that left the pool. Knows no pool and no group.

At most one snapshot per generation is kept: a new one, once it is written, replaces the old.
"""

from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from aios.context.snapshot import Snapshot, SnapshotRef, Tier
from aios.cores.base import NOWHERE
from aios.errors import AiosError, Busy


class Slot(Protocol):
    """A place in a tier for one snapshot's KV."""

    @property
    def kv(self) -> memoryview: ...

    def commit_later(self) -> Future[SnapshotRef]: ...


class Loadable(Protocol):
    """A snapshot found in a tier; its `kv` is readable until `close`."""

    @property
    def snapshot(self) -> Snapshot: ...

    @property
    def kv(self) -> memoryview: ...

    def close(self) -> None: ...


class Store(Protocol):
    """The tiers RAM and DISK, as `aios.context.tiers.TierStore` is."""

    def open(self, snapshot: Snapshot, to: Tier) -> Slot: ...

    def load(self, ref: SnapshotRef) -> Loadable: ...

    def remove(self, ref: SnapshotRef) -> None: ...

    def move(self, ref: SnapshotRef, to: Tier) -> SnapshotRef: ...


@dataclass(frozen=True, slots=True)
class Saved:
    """Where a generation's newest snapshot lies, after one was tried. `asked`: by somebody."""

    name: str
    ref: SnapshotRef
    asked: bool


@dataclass(frozen=True, slots=True)
class _Saving:
    asked: bool
    ref: Future[SnapshotRef]


class Shelf:
    """One engine's view of the tiers."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._saving: dict[str, _Saving] = {}
        self._kept: dict[str, SnapshotRef] = {}

    @property
    def is_saving(self) -> bool:
        """Whether something is being written."""
        return bool(self._saving)

    def kept(self, name: str) -> SnapshotRef:
        """The newest snapshot of a generation, or NOWHERE."""
        return self._kept.get(name, NOWHERE)

    def note(self, name: str, ref: SnapshotRef) -> None:
        """A generation is known to have that snapshot."""
        self._kept[name] = ref

    def try_save(
        self, snapshot: Snapshot, to: Tier, fill: Callable[[memoryview], None], *, asked: bool
    ) -> bool:
        """Begin to write a snapshot whose KV `fill` provides; False where no tier has room."""
        try:
            slot = self._store.open(snapshot, to)
        except (Busy, OSError):
            return False
        fill(slot.kv)
        self._saving[snapshot.generation] = _Saving(asked, slot.commit_later())
        return True

    def wait(self, timeout_s: float | None) -> None:
        """Until something is written, or so long."""
        wait([saving.ref for saving in self._saving.values()], timeout=timeout_s)

    def take_saved(self) -> list[Saved]:
        """Everything that is written by now, told once."""
        done = [name for name, saving in self._saving.items() if saving.ref.done()]
        return [saved for name in done if (saved := self.settle(name))]

    def settle(self, name: str) -> Saved | None:
        """Wait until the generation's snapshot is written, if one is being written."""
        saving = self._saving.pop(name, None)
        if saving is None:
            return None
        try:
            ref = saving.ref.result()
        except (AiosError, OSError):
            return Saved(name, self.kept(name), saving.asked)
        self.forget(name)
        self._kept[name] = ref
        return Saved(name, ref, saving.asked)

    def load(self, ref: SnapshotRef) -> Loadable:
        """The snapshot, or `Damaged`."""
        return self._store.load(ref)

    def move(self, name: str, to: Tier, known: SnapshotRef | None = None) -> SnapshotRef:
        """Move what is kept of a generation, or else the one that is `known`; where it lies now."""
        ref = self._kept.get(name) or known or NOWHERE
        if to is Tier.DEVICE or not ref.path:
            return ref
        with suppress(AiosError, OSError):  # It stays; a start will tell if it is damaged.
            moved = self._store.move(ref, to)
            if moved != ref:
                self._kept[name] = moved
            return moved
        return ref

    def forget(self, name: str, known: SnapshotRef | None = None) -> None:
        """Remove what is kept of a generation, and the one that is `known`.

        What cannot be removed harms nobody who runs.
        """
        for ref in (self._kept.pop(name, None), known):
            if ref is not None and ref.path:
                with suppress(AiosError, OSError):
                    self._store.remove(ref)
