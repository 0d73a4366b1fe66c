"""All places for sandboxes: numbered, each with a user of its own where that can be had.

Users are taken from a block that no other launcher on this network uses: an abstract socket's name
is the lock, and goes with its owner.
"""

import os
import socket
from pathlib import Path

from aios.sandbox.launcher import keeper
from aios.sandbox.launcher.cgroup import Groups
from aios.sandbox.launcher.slot import Slot, open_slot

FIRST_USER = 53_248  # in a range that Debian keeps free; within 65,536, as containers often map
BLOCK = 128
BLOCKS = 48


class Slots:
    """Free places, and new ones up to a bound."""

    def __init__(self, groups: Groups | None, most: int, first_user: int | None) -> None:
        self._groups = groups
        self._most = min(most, BLOCK)
        self._first_user = first_user
        self._free: list[Slot] = []
        self._all: dict[int, Slot] = {}

    @property
    def has_room(self) -> bool:
        return bool(self._free) or len(self._all) < self._most

    @property
    def keepers(self) -> frozenset[int]:
        return frozenset(slot.pid for slot in self._all.values())

    def take(self) -> Slot:
        """A free place, the one used last first: its keeper's memory is warm."""
        assert self.has_room, "ask has_room first"
        if self._free:
            return self._free.pop()
        number = min(set(range(self._most)) - self._all.keys())
        group = self._groups.group(f"{number}") if self._groups is not None else None
        uid = None if self._first_user is None else self._first_user + number
        slot = self._all[number] = open_slot(number, group, uid)
        return slot

    def give_back(self, slot: Slot) -> None:
        self._free.append(slot)

    def lose(self, slot: Slot) -> None:
        """Its keeper is gone: end whatever it left, and forget the place."""
        del self._all[slot.number]
        slot.close()
        keeper.sweep(self.keepers)
        if slot.group is not None:
            slot.group.remove()

    def close(self) -> None:
        """Let every keeper go, and wait until all have ended what they had."""
        for slot in self._all.values():
            slot.close()
        for slot in self._all.values():
            os.waitpid(slot.pid, 0)
        for slot in self._all.values():
            if slot.group is not None:
                slot.group.remove()


def claim_users() -> tuple[int, socket.socket] | None:
    """The first user of a block that is nobody else's, and its lock; None where none is free."""
    living = _living_users()
    for block in range(BLOCKS):
        first = FIRST_USER + block * BLOCK
        if not living.isdisjoint(range(first, first + BLOCK)):
            continue
        lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            lock.bind(f"\0aios-sandbox-users-{first}")
        except OSError:
            lock.close()
            continue
        return first, lock
    return None


def _living_users() -> set[int]:
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                found.add(folder.stat().st_uid)
            except OSError:
                continue
    return found
