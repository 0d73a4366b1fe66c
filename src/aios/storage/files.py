"""Handlers of the syscalls that change files: from a call to an order, and its reply."""

from collections.abc import Awaitable, Callable, Sequence

from aios.errors import AiosError, NotFound
from aios.journal.base import Work
from aios.storage.changes import Changes, Order
from aios.storage.draft import Draft
from aios.storage.intents import Rename
from aios.storage.paths import FilePath, parse_file
from aios.storage.shop import Shop
from aios.storage.steps import Change, paths_of, restore, stage
from aios.syscalls import file


class Files:
    """One method a kind of change; create, write, append, edit, mkdir and copy are one."""

    def __init__(self, shop: Shop, changes: Changes) -> None:
        self._shop = shop
        self._changes = changes

    async def change(self, agent: str, call: Change, work: Work) -> file.FileInfo:
        """Any step that needs nothing special."""
        order = Order(
            agent=agent,
            paths=paths_of(call),
            work=work,
            stage=lambda draft: stage(draft, call),
            is_deep=isinstance(call, file.Copy),
        )
        return await self._changes.make(order)

    async def move(self, agent: str, call: file.Move, work: Work) -> file.FileInfo:
        source, to = paths_of(call)
        return await self._changes.make(Order(
            agent=agent,
            paths=(source, to),
            work=work,
            stage=lambda draft: stage(draft, call),
            is_deep=True,
            rename=self._rename(agent, source, to),
        ))  # fmt: skip

    async def delete(self, agent: str, call: file.Delete, work: Work) -> file.Deleted:
        path = parse_file(call.path)

        async def trash(draft: Draft) -> file.Deleted:
            await draft.get(draft.target(call.path))
            return await draft.trash(path)

        return await self._changes.make(
            Order(agent=agent, paths=(path,), work=work, stage=trash, is_deep=True, uses_bin=True)
        )

    async def restore(self, agent: str, call: file.Restore, work: Work) -> file.FileInfo:
        deleted = await self._deleted(agent, call.id)
        path = parse_file(deleted.path if call.to is None else call.to)

        async def take_back(draft: Draft) -> file.FileInfo:
            return await restore(draft, await self._deleted(agent, call.id), call)

        return await self._changes.make(
            Order(agent=agent, paths=(path,), work=work, stage=take_back, uses_bin=True)
        )

    async def roll_back(self, agent: str, call: file.RollbackFile, work: Work) -> file.FileInfo:
        return await self._changes.make(Order(
            agent=agent,
            paths=(parse_file(call.path),),
            work=work,
            stage=lambda draft: stage(draft, call),
        ))  # fmt: skip

    async def transaction(self, agent: str, call: file.Transaction, work: Work) -> file.FileList:
        return await self._changes.make(Order(
            agent=agent,
            paths={path for step in call.steps for path in paths_of(step)},
            work=work,
            stage=_stage_all(call.steps),
            is_deep=any(isinstance(one, file.Move | file.Copy | file.Delete) for one in call.steps),
            uses_bin=True,
        ))  # fmt: skip

    def _rename(self, agent: str, source: FilePath, to: FilePath) -> Rename | None:
        mounts = self._shop.mounts
        same = mounts.place(agent, source)[0] == mounts.place(agent, to)[0]
        return Rename(source, to) if same and source != to else None

    async def _deleted(self, agent: str, id: str) -> file.Deleted:
        for deleted in await self._shop.catalog.deletions(agent):
            if deleted.id == id:
                return deleted
        raise NotFound(f"nothing in the bin has the id {id!r}")


def _stage_all(steps: Sequence[Change]) -> Callable[[Draft], Awaitable[file.FileList]]:
    async def stage_all(draft: Draft) -> file.FileList:
        for number, step in enumerate(steps, start=1):
            try:
                await stage(draft, step)
            except AiosError as problem:
                problem.args = (f"step {number}: {problem}",)
                raise
        nodes = [await draft.find(paths_of(step)[-1]) for step in steps]
        infos = {node.path: node.info() for node in nodes if node is not None}
        return file.FileList(tuple(infos[path] for path in sorted(infos)))

    return stage_all
