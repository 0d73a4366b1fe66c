"""`files` of the client for threads: the same methods, blocking."""

from aios.sdk.bridge import Sync, blocking
from aios.sdk.files import Files


class SyncFiles(Sync[Files]):
    """An agent's files, for a thread that is not the event loop's."""

    create = blocking(Files.create)
    mkdir = blocking(Files.mkdir)
    read = blocking(Files.read)
    read_text = blocking(Files.read_text)
    write = blocking(Files.write)
    append = blocking(Files.append)
    edit = blocking(Files.edit)
    list = blocking(Files.list)
    stat = blocking(Files.stat)
    move = blocking(Files.move)
    copy = blocking(Files.copy)
    delete = blocking(Files.delete)
    restore = blocking(Files.restore)
    bin = blocking(Files.bin)
    search = blocking(Files.search)
    versions = blocking(Files.versions)
    diff = blocking(Files.diff)
    rollback = blocking(Files.rollback)
    share = blocking(Files.share)
    links = blocking(Files.links)
    revoke = blocking(Files.revoke)
    open_link = blocking(Files.open_link)
    mount = blocking(Files.mount)
    unmount = blocking(Files.unmount)
    mounts = blocking(Files.mounts)
    transaction = blocking(Files.transaction)
    usage = blocking(Files.usage)
