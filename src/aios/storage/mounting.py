"""Handlers of mount, unmount and mounts. Who may mount is the kernel's to say."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from aios.errors import NotFound
from aios.journal import statements as sql
from aios.journal.base import Work
from aios.storage.changes import Changes, Order
from aios.storage.disk import Root
from aios.storage.draft import Draft
from aios.storage.paths import ROOT, FilePath
from aios.storage.shop import Shop
from aios.syscalls.base import Ok
from aios.syscalls.file import Mount, MountInfo, MountList, Unmount
from aios.syscalls.file import Mounts as ListMounts

T = TypeVar("T")


class Mounting:
    """Adds and removes mounts; the files themselves stay untouched."""

    def __init__(self, shop: Shop, changes: Changes) -> None:
        self._shop = shop
        self._changes = changes

    async def mount(self, agent: str, call: Mount, work: Work) -> MountInfo:
        owner = call.agent or agent
        mount = self._shop.mounts.checked(owner, call.name, call.folder, call.writable)
        there = await self._shop.do(self._shop.disk.look, Root(mount.folder, ours=False), ROOT)
        if there is None or there.kind != "folder":
            raise NotFound(f"no folder {call.folder!r} that can be opened")

        async def stage(draft: Draft) -> MountInfo:
            self._shop.mounts.checked(owner, call.name, call.folder, call.writable)
            await draft.free(FilePath(mount.name))
            await draft.folder(FilePath(mount.name))
            draft.add(sql.FILE_MOUNT_PUT, owner, mount.name, mount.folder, int(mount.writable))
            return mount

        order = _order(mount, work, stage, self._shop.mounts.add)
        return await self._changes.make(order)

    async def unmount(self, agent: str, call: Unmount, work: Work) -> Ok:
        owner = call.agent or agent
        mount = self._shop.mounts.get(owner, call.name)

        async def stage(draft: Draft) -> Ok:
            self._shop.mounts.get(owner, call.name)
            await draft.forget(FilePath(mount.name))
            draft.add(sql.FILE_MOUNT_DROP, owner, mount.name)
            return Ok()

        order = _order(mount, work, stage, self._shop.mounts.remove)
        return await self._changes.make(order)

    async def list(self, agent: str, call: ListMounts, work: Work) -> MountList:
        return MountList(tuple(self._shop.mounts.of(agent)))


def _order(
    mount: MountInfo,
    work: Work,
    stage: Callable[[Draft], Awaitable[T]],
    after: Callable[[MountInfo], None],
) -> Order[T]:
    """A change of what is mounted: no file on disk moves."""
    return Order(
        agent=mount.agent,
        paths=(FilePath(mount.name),),
        work=work,
        stage=stage,
        is_on_disk=False,
        after=lambda: after(mount),
    )
