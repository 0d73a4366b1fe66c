"""The audit of a home whose kernel is stopped."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import SystemRandom

from aios.errors import NotFound
from aios.journal.journal import open_journal
from aios.kernel.guard.audit_book import AuditBook
from aios.kernel.guard.audit_place import FOLDER, FileSafe
from aios.kernel.home import home


@asynccontextmanager
async def open_audit(path: Path) -> AsyncIterator[AuditBook]:
    """Raises `NotFound` where there is no audit, `Busy` where a kernel runs in the home."""
    safe = FileSafe(path / FOLDER, SystemRandom())
    if not safe.is_there:
        raise NotFound(f"no audit in {path}; expected a kernel's home, with the key of its audit")
    with home(path) as folders:
        journal = await asyncio.to_thread(open_journal, folders.journal, is_durable=True)
        try:
            yield AuditBook(journal, safe)
        finally:
            await journal.close()
