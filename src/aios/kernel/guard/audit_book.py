"""Reads the audit: records by number and filter, the proof that they are whole, all for an export.

Also of a home whose kernel is stopped. Reads a few pages at a time, so that nobody else waits long.
"""

from collections.abc import AsyncIterator, Iterable

import msgspec

from aios.access.chain import Check, Entry, Page, Place, Wrong, entries_of, is_sealed
from aios.errors import Damaged
from aios.journal import statements as sql
from aios.journal.base import Journal
from aios.kernel.guard.audit import LAST, anchor_of, offloaded, pages_of
from aios.kernel.guard.audit_place import Safe
from aios.syscalls.audit import AuditPage, AuditRecord, AuditRecords, AuditState

PAGES_EACH = 4  # read and checked at once: about two milliseconds


class AuditBook:
    """What stands in a journal's audit. Changes nothing."""

    def __init__(self, journal: Journal, safe: Safe) -> None:
        self._journal = journal
        self._safe = safe

    async def list(self, call: AuditRecords) -> AuditPage:
        """The records that pass every filter, up to the limit."""
        last = await self._last()
        pages = self._back(last) if call.newest else self._from(call.start)
        found: list[AuditRecord] = []
        async for page in pages:
            records = records_of(page)
            ordered = reversed(records) if call.newest else iter(records)
            found += _passing(ordered, call)
            if len(found) >= call.limit:
                break
        return AuditPage(tuple(found[: call.limit]), last)

    async def all(self) -> AsyncIterator[AuditRecord]:
        """Every record there is, in order of number."""
        async for page in self._from(1):
            for record in records_of(page):
                yield record

    async def verify(self) -> AuditState:
        """Check every link, mark and seal from the anchor on, and that the head is there."""
        key = await offloaded(self._safe, self._safe.key)
        head = await offloaded(self._safe, self._safe.head)
        anchor, proof = await anchor_of(self._journal)
        if proof and not is_sealed("anchor", anchor, proof, key):
            return _state(anchor, anchor, Wrong(1, "the anchor was not sealed with the key"))
        if head is None:
            wrong = Wrong(anchor.number + 1, "there is no head that was sealed with the key")
            return _state(anchor, anchor, wrong)
        check = Check(key, anchor, head)
        async for page in self._from(anchor.number + 1):
            if (wrong_page := check.page(page)) is not None:
                return _state(anchor, check.at, wrong_page)
        return _state(anchor, check.at, check.end())

    async def _last(self) -> int:
        newest = pages_of(await self._journal.read(sql.AUDIT_PAGES_BACK, LAST, 1))
        return newest[0].last if newest else 0

    async def _from(self, start: int) -> AsyncIterator[Page]:
        """Pages in order, from the one that holds a record on."""
        while rows := await self._journal.read(sql.AUDIT_PAGES_FROM, start, PAGES_EACH):
            for page in pages_of(rows):
                yield page
                start = max(start, page.last) + 1

    async def _back(self, start: int) -> AsyncIterator[Page]:
        while rows := await self._journal.read(sql.AUDIT_PAGES_BACK, start, PAGES_EACH):
            for page in pages_of(rows):
                yield page
                start = page.first - 1


def records_of(page: Page) -> list[AuditRecord]:
    """Numbered. Raises `Damaged` for what is no list of records."""
    try:
        entries = entries_of(page)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise Damaged(f"audit records {page.first}-{page.last}: {problem}") from None
    return [_record(page.first + at, entry) for at, entry in enumerate(entries)]


def _record(number: int, entry: Entry) -> AuditRecord:
    told = {name: getattr(entry, name) for name in Entry.__struct_fields__}
    return AuditRecord(number=number, **told)


def _passing(records: Iterable[AuditRecord], call: AuditRecords) -> list[AuditRecord]:
    wanted = {"agent": call.agent, "verb": call.verb, "decision": call.decision}
    exact = {name: value for name, value in wanted.items() if value}
    first = 1 if call.newest else call.start
    return [
        one
        for one in records
        if one.number >= first and all(getattr(one, name) == exact[name] for name in exact)
    ]


def _state(anchor: Place, at: Place, wrong: Wrong | None) -> AuditState:
    return AuditState(
        is_whole=wrong is None,
        records=at.number - anchor.number,
        head=at.hash.hex(),
        first_wrong=None if wrong is None else wrong.number,
        detail="" if wrong is None else wrong.detail,
    )
