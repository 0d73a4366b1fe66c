"""File syscalls as tools of the shell: what a model may ask for, each through the gate.

A tool answers in short lines that a model can read. What is irreversible, or shows a file to
somebody else, is asked about.
"""

from collections.abc import Iterable
from datetime import datetime, tzinfo

from aios.agents.steps import Gate, Step
from aios.clock import Clock
from aios.errors import InvalidArgument, NotFound
from aios.sdk import Tool, tool
from aios.sdk.files import Files
from aios.syscalls.file import Delete, FileInfo, Move

DAY_S = 86_400.0
READ_CHARS = 4_000
SHOWN_CHARS = 400
LISTED_MAX = 100


class FileTools:
    """The tools of one agent in front of one person."""

    def __init__(self, files: Files, gate: Gate, clock: Clock, zone: tzinfo) -> None:
        self._files = files
        self._gate = gate
        self._clock = clock
        self._zone = zone

    def all(self) -> tuple[Tool, ...]:
        mine = (
            self.search, self.list, self.read, self.versions, self.compare, self.write,
            self.append, self.edit, self.make_folder, self.move, self.copy, self.delete,
            self.bin, self.restore, self.rollback, self.share,
        )  # fmt: skip
        return tuple(tool(one) for one in mine)

    async def search(self, query: str, folder: str = "", days: float = 0) -> str:
        """Find files by what they are about.

        Args:
            query: Words that describe the file.
            folder: Only below this folder.
            days: Only files changed within that many days; 0 for any time.
        """
        since = self._clock.utc() - days * DAY_S if days > 0 else None
        await self._enter("search", f"for {query!r}" + (f" in {folder}" if folder else ""))
        found = await self._files.search(query, path=folder, since=since)
        return _lines(
            f"{self._described(one.file)}\n    {one.snippet[:SHOWN_CHARS]}" for one in found.files
        )

    async def list(self, folder: str = "", deep: bool = False) -> str:
        """List what a folder holds.

        Args:
            folder: The folder; empty for the top.
            deep: Also everything in its folders.
        """
        await self._enter("list", folder or "the top folder")
        listed = await self._files.list(folder, deep=deep, limit=LISTED_MAX)
        more = ["... and more"] if listed.more else []
        return _lines([*(self._described(one) for one in listed.files), *more])

    async def read(self, path: str, version: int = 0) -> str:
        """Read a text file.

        Args:
            path: The file.
            version: An older version's number; 0 for the present one.
        """
        await self._enter("read", path + (f", version {version}" if version else ""))
        text = await self._files.read_text(path, version=version or None)
        return text if len(text) <= READ_CHARS else f"{text[:READ_CHARS]}\n... {len(text)} in all"

    async def versions(self, path: str) -> str:
        """List a file's versions with their times, newest first.

        Args:
            path: The file.
        """
        await self._enter("versions", path)
        return _lines(
            f"version {one.version}: {self._when(one.time)}, {one.bytes} bytes, by {one.by}"
            for one in (await self._files.versions(path)).versions
        )

    async def compare(self, path: str, old: int, new: int = 0) -> str:
        """Show what changed between two versions of a file.

        Args:
            path: The file.
            old: The older version's number.
            new: The newer one's; 0 for the present content.
        """
        await self._enter("compare", f"{path}, version {old}")
        difference = await self._files.diff(path, old, new or None)
        return difference.text[:READ_CHARS] or "no difference"

    async def write(self, path: str, text: str) -> str:
        """Create a text file, or replace one as a whole.

        Args:
            path: The file.
            text: Its new content.
        """
        old = await self._info(path)
        because = f"it replaces version {old.version}" if old else ""
        await self._enter("write", f"{path}: {_short(text)}", because)
        # Bound to what was seen: if somebody changed it meanwhile, that was not agreed to.
        if old is None:
            return self._described(await self._files.create(path, text))
        return self._described(await self._files.write(path, text, base=old.version))

    async def append(self, path: str, text: str) -> str:
        """Add text at a file's end.

        Args:
            path: The file.
            text: What to add.
        """
        await self._enter("append", f"{path}: {_short(text)}")
        return self._described(await self._files.append(path, text))

    async def edit(self, path: str, old: str, new: str) -> str:
        """Replace a passage of a text file.

        Args:
            path: The file.
            old: The passage, which the file has exactly once.
            new: What to put in its place.
        """
        base = (await self._files.stat(path)).version
        await self._enter("edit", f"{path}: {_short(old)} becomes {_short(new)}")
        return self._described(await self._files.edit(path, old, new, base=base))

    async def make_folder(self, path: str) -> str:
        """Make a folder.

        Args:
            path: The folder.
        """
        await self._enter("make_folder", path)
        return self._described(await self._files.mkdir(path))

    async def move(self, path: str, to: str, replace: bool = False) -> str:
        """Move or rename a file or folder.

        Args:
            path: What to move.
            to: Its new path, name included.
            replace: Put what is at the new path now into the bin.
        """
        taken = await self._info(to) if replace else None
        because = f"what is at {to} goes to the bin" if taken else ""
        await self._enter("move", f"{path} to {to}", because)
        if taken is None:
            return self._described(await self._files.move(path, to))
        await self._files.transaction([Delete(path=to), Move(path=path, to=to)])
        return self._described(await self._files.stat(to))

    async def copy(self, path: str, to: str) -> str:
        """Copy a file or folder.

        Args:
            path: What to copy.
            to: The copy's path, name included.
        """
        await self._enter("copy", f"{path} to {to}")
        return self._described(await self._files.copy(path, to))

    async def delete(self, path: str) -> str:
        """Put a file or folder into the bin.

        Args:
            path: What to delete.
        """
        there = await self._files.stat(path)
        await self._enter("delete", f"{there.kind} {path}", "it goes to the bin")
        deleted = await self._files.delete(path)
        return f"{path} is in the bin with id {deleted.id}"

    async def bin(self) -> str:
        """List what was deleted, newest first."""
        await self._enter("bin", "what was deleted")
        deleted = (await self._files.bin()).deleted[:LISTED_MAX]
        return _lines(f"id {one.id}: {one.path}, {self._when(one.time)}" for one in deleted)

    async def restore(self, id: str, to: str = "") -> str:
        """Take something back from the bin.

        Args:
            id: Its id in the bin.
            to: Where to put it; empty for where it was.
        """
        await self._enter("restore", id + (f" to {to}" if to else ""))
        return self._described(await self._files.restore(id, to or None))

    async def rollback(self, path: str, version: int) -> str:
        """Put a file back to an earlier version.

        Args:
            path: The file.
            version: That version's number.
        """
        for one in (await self._files.versions(path)).versions:
            if one.version == version:
                break
        else:
            raise NotFound(f"{path!r} keeps no version {version}")
        text = f"{path} to version {version} of {self._when(one.time)}"
        await self._enter("rollback", text, "it replaces the present content")
        return self._described(await self._files.rollback(path, version=version))

    async def share(self, path: str, hours: float = 24) -> str:
        """Make a link by which others can read a file.

        Args:
            path: The file.
            hours: How long the link works.
        """
        if hours <= 0:
            raise InvalidArgument(f"expected hours of more than 0, got {hours:g}")
        because = "whoever has the link can read it"
        await self._enter("share", f"{path} for {hours:g} hours", because)
        return (await self._files.share(path, expires_s=hours * 3_600)).token

    async def _enter(self, act: str, text: str, because: str = "") -> None:
        await self._gate.enter(Step(act=act, text=text, because=because))

    async def _info(self, path: str) -> FileInfo | None:
        try:
            return await self._files.stat(path)
        except NotFound:
            return None

    def _described(self, info: FileInfo) -> str:
        if info.kind == "folder":
            return f"{info.path}/"
        when = self._when(info.modified)
        return f"{info.path}, version {info.version}, {info.bytes} bytes, changed {when}"

    def _when(self, time: float) -> str:
        return f"{datetime.fromtimestamp(time, self._zone):%A %Y-%m-%d %H:%M}"


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines) or "nothing"


def _short(text: str) -> str:
    return repr(text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}...")
