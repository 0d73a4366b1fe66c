"""Where the audit's key and its sealed head lie: apart from the journal. Blocks; knows no record.

The key is 32 random bytes in a file that only the kernel's user can read. Whoever is that user, or
root, can forge with it; whoever has only the journal, a copy or a backup of it, cannot.
"""

import os
from pathlib import Path
from random import Random
from typing import Protocol

import msgspec

from aios.access.chain import Place, is_sealed, seal
from aios.errors import Damaged

KEY_BYTES = 32
FOLDER = "audit"  # in a home
KEY = "key"
HEAD = "head"


class Safe(Protocol):
    """Keeps the key, and the last head."""

    @property
    def blocks(self) -> bool:
        """Whether it is to be used in a thread."""
        ...

    def key(self) -> bytes: ...

    def head(self) -> Place | None:
        """None: there is none, or none that was sealed with the key."""
        ...

    def save(self, head: Place) -> None: ...


class _Head(msgspec.Struct, frozen=True):
    number: int
    hash: str
    seal: str


class RamSafe:
    """Of a kernel that leaves nothing behind."""

    blocks = False

    def __init__(self, random: Random) -> None:
        self._key = random.getrandbits(8 * KEY_BYTES).to_bytes(KEY_BYTES, "big")
        self._head: Place | None = None

    def key(self) -> bytes:
        return self._key

    def head(self) -> Place | None:
        return self._head

    def save(self, head: Place) -> None:
        self._head = head


class FileSafe:
    """Two files in a folder of their own."""

    blocks = True

    def __init__(self, folder: Path, random: Random) -> None:
        self._folder = folder
        self._random = random

    @property
    def is_there(self) -> bool:
        return (self._folder / KEY).is_file()

    def key(self) -> bytes:
        """The key; a new one where there is none."""
        path = self._folder / KEY
        try:
            key = path.read_bytes()
        except FileNotFoundError:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            key = self._random.getrandbits(8 * KEY_BYTES).to_bytes(KEY_BYTES, "big")
            write_private(path, key)
        if len(key) != KEY_BYTES:
            raise Damaged(f"{path}: expected {KEY_BYTES} bytes of a key, found {len(key)}")
        return key

    def head(self) -> Place | None:
        try:
            told = msgspec.json.decode((self._folder / HEAD).read_bytes(), type=_Head)
            head = Place(told.number, bytes.fromhex(told.hash))
            proof = bytes.fromhex(told.seal)
        except (FileNotFoundError, ValueError):  # A malformed one is a ValueError too.
            return None
        return head if is_sealed(HEAD, head, proof, self.key()) else None

    def save(self, head: Place) -> None:
        proof = seal(HEAD, head, self.key())
        told = _Head(number=head.number, hash=head.hash.hex(), seal=proof.hex())
        write_private(self._folder / HEAD, msgspec.json.encode(told))


def write_private(path: Path, data: bytes) -> None:
    """The whole content or the old one, for nobody else to read."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
