"""An agent's files. A method is named after its syscall's verb and takes its fields.

Where bytes are expected a text does too: it is written as UTF-8. `owner` names another agent, whose
files are meant, by a right to them.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from aios.errors import WrongState
from aios.syscalls import Ok, file
from aios.syscalls.file import (
    Deleted,
    Deletions,
    Difference,
    FileData,
    FileInfo,
    FileLink,
    FileList,
    FilesFound,
    LinkList,
    MountInfo,
    MountList,
    Quota,
    Step,
    VersionList,
)
from aios.syscalls.note import SearchMode

if TYPE_CHECKING:
    from aios.sdk.client import Client


class Files:
    """The file syscalls of one client."""

    def __init__(self, client: "Client") -> None:
        self._call = client.call

    async def create(self, path: str, data: bytes | str = b"", owner: str = "") -> FileInfo:
        return await self._call(file.Create(path=path, data=_bytes(data), owner=owner))

    async def mkdir(self, path: str, owner: str = "") -> FileInfo:
        return await self._call(file.MakeFolder(path=path, owner=owner))

    async def read(
        self,
        path: str,
        offset: int = 0,
        length: int | None = None,
        version: int | None = None,
        owner: str = "",
    ) -> FileData:
        return await self._call(
            file.ReadFile(path=path, offset=offset, length=length, version=version, owner=owner)
        )

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
        return await self._call(
            file.WriteFile(path=path, data=_bytes(data), base=base, owner=owner)
        )

    async def append(self, path: str, data: bytes | str, owner: str = "") -> FileInfo:
        return await self._call(file.AppendFile(path=path, data=_bytes(data), owner=owner))

    async def edit(
        self,
        path: str,
        old: str,
        new: str,
        all: bool = False,
        base: int | None = None,
        owner: str = "",
    ) -> FileInfo:
        return await self._call(
            file.Edit(path=path, old=old, new=new, all=all, base=base, owner=owner)
        )

    async def list(
        self, path: str = "", deep: bool = False, limit: int = 1_000, owner: str = ""
    ) -> FileList:
        return await self._call(file.Folder(path=path, deep=deep, limit=limit, owner=owner))

    async def stat(self, path: str, owner: str = "") -> FileInfo:
        return await self._call(file.Stat(path=path, owner=owner))

    async def move(self, path: str, to: str, owner: str = "") -> FileInfo:
        return await self._call(file.Move(path=path, to=to, owner=owner))

    async def copy(self, path: str, to: str, owner: str = "") -> FileInfo:
        return await self._call(file.Copy(path=path, to=to, owner=owner))

    async def delete(self, path: str, owner: str = "") -> Deleted:
        return await self._call(file.Delete(path=path, owner=owner))

    async def restore(self, id: str, to: str | None = None) -> FileInfo:
        return await self._call(file.Restore(id=id, to=to))

    async def bin(self) -> Deletions:
        return await self._call(file.Bin())

    async def search(
        self,
        query: str,
        path: str = "",
        limit: int = 10,
        mode: SearchMode = SearchMode.HYBRID,
        since: float | None = None,
        until: float | None = None,
    ) -> FilesFound:
        call = file.SearchFiles(query=query, path=path, limit=limit, mode=mode)
        return await self._call(msgspec.structs.replace(call, since=since, until=until))

    async def versions(self, path: str, owner: str = "") -> VersionList:
        return await self._call(file.Versions(path=path, owner=owner))

    async def diff(
        self, path: str, old: int, new: int | None = None, owner: str = ""
    ) -> Difference:
        return await self._call(file.Diff(path=path, old=old, new=new, owner=owner))

    async def rollback(
        self,
        path: str,
        steps: int | None = None,
        time: float | None = None,
        version: int | None = None,
        owner: str = "",
    ) -> FileInfo:
        call = file.RollbackFile(path=path, steps=steps, time=time, version=version, owner=owner)
        return await self._call(call)

    async def share(
        self, path: str, expires_s: float = 86_400.0, version: int | None = None, owner: str = ""
    ) -> FileLink:
        call = file.ShareFile(path=path, expires_s=expires_s, version=version, owner=owner)
        return await self._call(call)

    async def links(self) -> LinkList:
        return await self._call(file.Links())

    async def revoke(self, token: str) -> Ok:
        return await self._call(file.Revoke(token=token))

    async def open_link(self, token: str) -> FileData:
        return await self._call(file.OpenLink(token=token))

    async def mount(
        self, name: str, folder: str, writable: bool = False, agent: str = ""
    ) -> MountInfo:
        return await self._call(
            file.Mount(name=name, folder=folder, writable=writable, agent=agent)
        )

    async def unmount(self, name: str, agent: str = "") -> Ok:
        return await self._call(file.Unmount(name=name, agent=agent))

    async def mounts(self) -> MountList:
        return await self._call(file.Mounts())

    async def transaction(self, steps: Iterable[Step], owner: str = "") -> FileList:
        return await self._call(file.Transaction(steps=tuple(steps), owner=owner))

    async def usage(self) -> Quota:
        return await self._call(file.FileUsage())


def _bytes(data: bytes | str) -> bytes:
    return data.encode() if isinstance(data, str) else data
