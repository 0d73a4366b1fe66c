"""`tools` and `programs` of the client for threads: the same methods, blocking."""

from aios.sdk.bridge import Sync, blocking
from aios.sdk.programs import ProgramClient
from aios.sdk.tools import Tools


class SyncTools(Sync[Tools]):
    """The kernel's tools, for a thread that is not the event loop's."""

    list = blocking(Tools.list)
    call = blocking(Tools.call)
    batch = blocking(Tools.batch)
    accept = blocking(Tools.accept)
    add = blocking(Tools.add)
    remove = blocking(Tools.remove)


class SyncProgramClient(Sync[ProgramClient]):
    """Programs outside of the kernel, for a thread that is not the event loop's."""

    start = blocking(ProgramClient.start)
    feed = blocking(ProgramClient.feed)
    log = blocking(ProgramClient.log)
