"""Handlers of the audit family: looks into the record, which is flushed before."""

from aios.kernel.guard.audit import Audit
from aios.kernel.guard.audit_book import AuditBook
from aios.kernel.process import Process
from aios.syscalls.audit import AuditPage, AuditRecords, AuditState, VerifyAudit


class AuditCalls:
    """Who may look is the gate's to say."""

    def __init__(self, audit: Audit, book: AuditBook) -> None:
        self._audit = audit
        self._book = book

    async def list(self, process: Process, call: AuditRecords) -> AuditPage:
        await self._audit.flushed()
        return await self._book.list(call)

    async def verify(self, process: Process, call: VerifyAudit) -> AuditState:
        await self._audit.flushed()
        return await self._book.verify()
