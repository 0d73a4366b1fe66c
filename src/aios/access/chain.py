"""The audit's chain: records linked by hashes, pages sealed with a key, and what is wrong. Pure.

Each record's hash covers the one before it. A page keeps eight bytes of every hash, which tell
which record was changed, and is sealed with a key that does not lie in the journal: whoever can
write the journal but has not the key can make no page. The head, kept elsewhere, is the number and
hash of a record that was durable: with fewer records than that, the end was cut off. The anchor is
the last record that was let go of on purpose.
"""

import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

import msgspec

FIRST = bytes(32)  # what the first record is linked to
MARK = 8
MALFORMED = (msgspec.DecodeError, UnicodeDecodeError)
_encoder = msgspec.msgpack.Encoder()
_raw = msgspec.msgpack.Decoder(tuple[msgspec.Raw, ...])


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A record without its number: a page counts."""

    at: float
    pid: int
    agent: str
    verb: str
    object: str
    decision: str
    rule: str
    policy: str
    label: str
    arguments: str
    count: int


class Place(NamedTuple):
    """A record by its number, and the hash that covers it and all before it."""

    number: int
    hash: bytes


START = Place(0, FIRST)


class Page(NamedTuple):
    """Records `first` to `last`; the columns of its row."""

    first: int
    last: int
    before: bytes
    hash: bytes
    marks: bytes
    body: bytes
    seal: bytes


@dataclass(frozen=True, slots=True)
class Wrong:
    """The first record that is not what was written, and what speaks against it."""

    number: int
    detail: str


def page_of(entries: Sequence[Entry], after: Place, key: bytes) -> Page:
    """The page that follows a record."""
    raws, marks, link = [], bytearray(), after.hash
    for entry in entries:
        raw = _encoder.encode(entry)
        link = sha256(link + raw).digest()
        marks += link[:MARK]
        raws.append(msgspec.Raw(raw))
    first, last = after.number + 1, after.number + len(raws)
    body = _encoder.encode(raws)
    return Page(
        first, last, after.hash, link, bytes(marks), body, _page_seal(first, after, last, link, key)
    )


def end_of(page: Page) -> Place:
    return Place(page.last, page.hash)


def entries_of(page: Page) -> tuple[Entry, ...]:
    """A page's records, not checked. Raises `msgspec.DecodeError`."""
    return msgspec.msgpack.decode(page.body, type=tuple[Entry, ...])


def seal(what: str, place: Place, key: bytes) -> bytes:
    """Proof that whoever has the key wrote this place, as a head or as an anchor."""
    return hmac.digest(key, f"{what} {place.number} ".encode() + place.hash, "sha256")


def is_sealed(what: str, place: Place, proof: bytes, key: bytes) -> bool:
    return hmac.compare_digest(seal(what, place, key), proof)


def resealed(page: Page, key: bytes) -> bool:
    """Whether whoever has the key made this page's frame."""
    after = Place(page.first - 1, page.before)
    return hmac.compare_digest(_page_seal(page.first, after, page.last, page.hash, key), page.seal)


class Check:
    """Takes pages in order, from the anchor on; says of the first that is wrong what is."""

    def __init__(self, key: bytes, anchor: Place, head: Place) -> None:
        self._key = key
        self._head = head
        self.at = anchor

    def page(self, page: Page) -> Wrong | None:
        """What is wrong with the next page."""
        wrong = self._frame(page) or self._records(page)
        if wrong is None:
            self.at = end_of(page)
        return wrong

    def end(self) -> Wrong | None:
        """There are no more pages."""
        if self.at.number < self._head.number:
            return Wrong(
                self.at.number + 1,
                f"expected records up to {self._head.number}, as the head says; there are none "
                f"after {self.at.number}",
            )
        return None

    def _frame(self, page: Page) -> Wrong | None:
        due = self.at.number + 1
        if page.first != due:
            return Wrong(due, f"expected record {due}, found one that begins at {page.first}")
        if page.before != self.at.hash:
            return Wrong(due, f"record {due} follows another record than number {self.at.number}")
        return None

    def _records(self, page: Page) -> Wrong | None:
        number, link = page.first - 1, page.before
        for number, link, mark in _links(page):
            if link[:MARK] != mark:
                return Wrong(number, f"record {number} is not what was written")
            if number == self._head.number and link != self._head.hash:
                return Wrong(number, f"record {number} is another than the head's")
        if (number, link) != (page.last, page.hash):
            return Wrong(page.first, f"page {page.first}-{page.last} is not what was written")
        if not resealed(page, self._key):
            return Wrong(page.first, f"page {page.first}-{page.last} was not sealed with the key")
        return None


def _links(page: Page) -> Iterator[tuple[int, bytes, bytes]]:
    """Each record's number, its hash as it is now, and the mark of what it was."""
    link = page.before
    for at, raw in enumerate(_raws(page)):
        link = sha256(link + raw).digest()
        yield page.first + at, link, page.marks[at * MARK : (at + 1) * MARK]


def _raws(page: Page) -> Sequence[msgspec.Raw]:
    try:
        return _raw.decode(page.body)
    except MALFORMED:
        return ()


def _page_seal(first: int, after: Place, last: int, link: bytes, key: bytes) -> bytes:
    return hmac.digest(key, f"page {first} {last} ".encode() + after.hash + link, "sha256")
