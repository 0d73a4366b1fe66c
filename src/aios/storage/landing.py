"""From the journal to the disk: what was committed is carried out on the real files.

A commit leaves an intent: which paths change, and what was there. The quick way then renames staged
files into place. Where it meets something unexpected, and at the next start for every intent that
is still there, each path is settled: if the disk holds what the journal says, all is well; if it
holds what was there before, the step is done now; if it holds neither, somebody else wrote it, and
it stays for `outside` to take over as a version. Nothing that the journal does not keep is ever
replaced or removed.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from aios.errors import AiosError
from aios.journal import statements as sql
from aios.journal.base import Change
from aios.storage.disk import Root, Seen
from aios.storage.draft import Draft, Effect
from aios.storage.intents import Intent, Job, Rename, carry_out
from aios.storage.paths import ROOT, FilePath, parent
from aios.storage.settling import Settling
from aios.storage.shop import Shop


@dataclass(frozen=True, slots=True)
class Landed:
    """How far an intent got: whether the disk took all it could, the paths where somebody else's
    content stands, and how the files look that are there now."""

    is_done: bool
    strange: tuple[FilePath, ...]
    seen: Mapping[FilePath, Seen]


class Landing:
    """Carries out intents. Whoever calls holds the locks of their paths."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._disk = shop.disk
        self._settling = Settling(shop)
        self._cleared: set[Root] = set()
        self._behind: dict[str, Intent] = {}  # committed, and not all on the disk

    def load(self, intents: Iterable[Intent]) -> None:
        """Take over what an earlier kernel left."""
        self._behind.update((intent.id, intent) for intent in intents)

    def behind(self, agent: str) -> list[Intent]:
        """What the disk still owes that agent, in order of commit."""
        return [intent for intent in self._behind.values() if intent.agent == agent]

    def owed(self) -> set[str]:
        """The agents to whose files the disk owes something."""
        return {intent.agent for intent in self._behind.values()}

    async def stage(self, intent: Intent, draft: Draft) -> list[Job]:
        """Set new contents aside, durably, so that the last step needs no room. All or none."""
        jobs = [
            self._job(intent, number, draft.stamp_before(FilePath(effect.path)))
            for number, effect in enumerate(intent.effects)
        ]
        begun: list[Job] = []
        try:
            for job in filter(_is_staged, jobs):
                await self._clear(job.root)
                data = await draft.content(job.effect.sha256)
                begun.append(job)
                await self._shop.do(self._disk.stage, job.root, job.staged, data)
        except BaseException:
            await self.drop(begun)
            raise
        return jobs

    async def drop(self, jobs: Iterable[Job]) -> None:
        """Staged contents that are not needed."""
        for job in filter(_is_staged, jobs):
            with suppress(AiosError):
                await self._shop.do(self._disk.drop, job.root, job.staged)

    async def land(self, intent: Intent, jobs: Sequence[Job], rename: Rename | None) -> Landed:
        """Carry out an intent that was committed.

        Never raises for the disk's sake: what it does not take now is tried again later.
        """
        self._behind[intent.id] = intent
        if rename is not None:
            await self._rename(intent.agent, rename)
            return await self.settle(intent)
        done = await self._shop.do(carry_out, self._disk, jobs)
        if done.failed:
            await self.drop(done.failed)
            return await self.settle(intent)
        return Landed(True, (), done.seen)

    async def settle(self, intent: Intent) -> Landed:
        """Bring every path of an intent to what the journal says, as far as that can be."""
        strange: list[FilePath] = []
        seen: dict[FilePath, Seen] = {}
        try:
            for path in await self._settling.unsettled(intent.agent, intent.in_order(), seen):
                found = await self._settling.settle(intent.agent, path, intent.known)
                if found.seen is not None:
                    seen[path] = found.seen
                if not found.is_settled:
                    strange.append(path)
        except AiosError:
            return Landed(False, tuple(strange), seen)
        return Landed(True, tuple(strange), seen)

    async def close(self, intent: Intent, landed: Landed) -> None:
        """Note what the real files look like now, and that nothing is owed any more."""
        if not landed.is_done:
            return  # The intent stays, here and in the journal.
        await self._sync(intent)
        nodes = await self._shop.catalog.many(intent.agent, landed.seen)
        changes = [
            Change(sql.FILE_STAMP, (landed.seen[path].stamp, node.id, node.sha256))
            for path, node in nodes.items()
        ]
        await self._shop.journal.post([*changes, Change(sql.FILE_INTENT_DROP, (intent.id,))])
        self._behind.pop(intent.id, None)

    async def rebuild(self, agent: str) -> None:
        """Write all of an agent's own files anew: the folder of its root is gone.

        As an intent of the journal, so that what is not written yet is never taken for deleted.
        """
        effects = [
            Effect(path=node.path, was="", was_sha256="", kind=node.kind, sha256=node.sha256)
            for node in await self._shop.catalog.below(agent, ROOT)
            if self._shop.mounts.at(agent, node.path) is None
        ]
        intent = Intent(id=self._shop.new_id(), agent=agent, effects=tuple(effects))
        row = (intent.id, agent, msgspec.msgpack.encode(intent))
        await self._shop.journal.post([Change(sql.FILE_INTENT_PUT, row)])
        self._behind[intent.id] = intent
        await self.close(intent, await self.settle(intent))

    def _job(self, intent: Intent, number: int, before: str) -> Job:
        effect = intent.effects[number]
        root, way = self._shop.mounts.place(intent.agent, FilePath(effect.path))
        staged = f"{self._shop.boot}-{intent.id}-{number}" if effect.kind == "file" else ""
        return Job(effect=effect, root=root, way=way, before=before, staged=staged)

    async def _sync(self, intent: Intent) -> None:
        """Make durable what was renamed, made and removed."""
        folders: dict[Root, set[FilePath]] = {}
        for effect in intent.effects:
            root, way = self._shop.mounts.place(intent.agent, FilePath(effect.path))
            folders.setdefault(root, set()).add(parent(way))
        for root, ways in folders.items():
            await self._shop.do(self._disk.sync, root, ways)

    async def _clear(self, root: Root) -> None:
        """Once for each root, what a killed kernel has left aside."""
        if root not in self._cleared:
            self._cleared.add(root)
            await self._shop.do(self._disk.clear, root, self._shop.boot)

    async def _rename(self, agent: str, rename: Rename) -> None:
        """The quick way of a move; whatever it does not reach is settled after it."""
        root, way = self._shop.mounts.place(agent, rename.path)
        other, to = self._shop.mounts.place(agent, rename.to)
        assert root == other, "a rename stays in one root"
        with suppress(AiosError):
            await self._shop.do(self._disk.make_folder, root, parent(to))
            await self._shop.do(self._disk.rename, root, way, to)


def _is_staged(job: Job) -> bool:
    return bool(job.staged)
