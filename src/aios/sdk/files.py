"""An agent's files. A method is named after its syscall's verb and takes its fields.

Where bytes are expected a text does too: it is written as UTF-8. `owner` names another agent, whose
files are meant, by a right to them.
"""

from collections.abc import Iterable

from aios.errors import WrongState
from aios.sdk.blocks import as_bytes
from aios.sdk.caller import Family, verb
from aios.syscalls import file
from aios.syscalls.file import FileInfo, FileList, Step


class Files(Family):
    """The file syscalls of one client."""

    mkdir = verb(file.MakeFolder)
    read = verb(file.ReadFile)
    edit = verb(file.Edit)
    list = verb(file.Folder)
    stat = verb(file.Stat)
    move = verb(file.Move)
    copy = verb(file.Copy)
    delete = verb(file.Delete)
    restore = verb(file.Restore)
    bin = verb(file.Bin)
    search = verb(file.SearchFiles)
    versions = verb(file.Versions)
    diff = verb(file.Diff)
    rollback = verb(file.RollbackFile)
    share = verb(file.ShareFile)
    links = verb(file.Links)
    revoke = verb(file.Revoke)
    open_link = verb(file.OpenLink)
    mount = verb(file.Mount)
    unmount = verb(file.Unmount)
    mounts = verb(file.Mounts)
    usage = verb(file.FileUsage)

    async def create(self, path: str, data: bytes | str = b"", owner: str = "") -> FileInfo:
        return await self._client.call(file.Create(path=path, data=as_bytes(data), owner=owner))

    async def read_text(self, path: str, version: int | None = None) -> str:
        """A file that is UTF-8 text, as text."""
        data = (await self.read(path, version=version)).data
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise WrongState(f"{path!r} is not UTF-8 text; read its bytes with `read`") from None

    async def write(
        self, path: str, data: bytes | str, base: int | None = None, owner: str = ""
    ) -> FileInfo:
        call = file.WriteFile(path=path, data=as_bytes(data), base=base, owner=owner)
        return await self._client.call(call)

    async def append(self, path: str, data: bytes | str, owner: str = "") -> FileInfo:
        return await self._client.call(file.AppendFile(path=path, data=as_bytes(data), owner=owner))

    async def transaction(self, steps: Iterable[Step], owner: str = "") -> FileList:
        return await self._client.call(file.Transaction(steps=tuple(steps), owner=owner))
