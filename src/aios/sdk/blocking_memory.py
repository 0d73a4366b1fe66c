"""`memory`, `history` and `notes` of the client for threads: the same methods, blocking."""

from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from aios.sdk.blocks import BlockClient
from aios.sdk.bridge import blocking
from aios.sdk.histories import HistoryClient
from aios.sdk.notes import NoteClient

C = TypeVar("C")
Run = Callable[[Coroutine[Any, Any, Any]], Any]


class _Sync(Generic[C]):
    """A sub-client, and how its client waits for what it starts."""

    def __init__(self, client: C, run: Run) -> None:
        self._client = client
        self._run = run


class SyncBlockClient(_Sync[BlockClient]):
    """A `BlockClient` for threads."""

    alloc = blocking(BlockClient.alloc)
    read = blocking(BlockClient.read)
    text = blocking(BlockClient.text)
    write = blocking(BlockClient.write)
    append = blocking(BlockClient.append)
    clear = blocking(BlockClient.clear)
    free = blocking(BlockClient.free)
    list = blocking(BlockClient.list)
    share = blocking(BlockClient.share)


class SyncHistoryClient(_Sync[HistoryClient]):
    """A `HistoryClient` for threads."""

    extend = blocking(HistoryClient.extend)
    read = blocking(HistoryClient.read)
    messages = blocking(HistoryClient.messages)
    fork = blocking(HistoryClient.fork)
    rollback = blocking(HistoryClient.rollback)
    drop = blocking(HistoryClient.drop)
    list = blocking(HistoryClient.list)
    assemble = blocking(HistoryClient.assemble)


class SyncNoteClient(_Sync[NoteClient]):
    """A `NoteClient` for threads."""

    add = blocking(NoteClient.add)
    get = blocking(NoteClient.get)
    update = blocking(NoteClient.update)
    remove = blocking(NoteClient.remove)
    link = blocking(NoteClient.link)
    share = blocking(NoteClient.share)
    search = blocking(NoteClient.search)
