"""`memory`, `history` and `notes` of the client for threads: the same methods, blocking."""

from aios.sdk.blocks import BlockClient
from aios.sdk.bridge import Sync, blocking
from aios.sdk.histories import HistoryClient
from aios.sdk.notes import NoteClient


class SyncBlockClient(Sync[BlockClient]):
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


class SyncHistoryClient(Sync[HistoryClient]):
    """A `HistoryClient` for threads."""

    extend = blocking(HistoryClient.extend)
    read = blocking(HistoryClient.read)
    messages = blocking(HistoryClient.messages)
    fork = blocking(HistoryClient.fork)
    rollback = blocking(HistoryClient.rollback)
    drop = blocking(HistoryClient.drop)
    list = blocking(HistoryClient.list)
    assemble = blocking(HistoryClient.assemble)


class SyncNoteClient(Sync[NoteClient]):
    """A `NoteClient` for threads."""

    add = blocking(NoteClient.add)
    get = blocking(NoteClient.get)
    update = blocking(NoteClient.update)
    remove = blocking(NoteClient.remove)
    link = blocking(NoteClient.link)
    share = blocking(NoteClient.share)
    search = blocking(NoteClient.search)
