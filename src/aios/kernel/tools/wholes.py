"""What a result has no room for, kept whole as a file of the caller's, and the oldest removed.

It is written as the caller writes: its rights, labels, budget and quota. Where that cannot be done
at once, or would ask a human, nothing is kept. Knows no tool.
"""

import re
from collections.abc import Awaitable, Callable
from hashlib import sha256
from itertools import count
from typing import Any, Protocol

from aios.errors import AiosError
from aios.kernel.process import Process
from aios.kernel.waits import Waits
from aios.syscalls.base import Syscall
from aios.syscalls.file import Delete, FileList, FileUsage, Folder, Quota, WriteFile
from aios.syscalls.tool import CallTool, FileRef, ToolResult
from aios.tools.results import Whole, capped, wholes

FOLDER = "results"
FILES_MAX = 32  # of an agent
BYTES_MAX = 16 << 20  # of one result
SHARE = 2  # of the quota's bytes, the part beyond which results leave the agent's own files room
PATIENCE_S = 10.0
HASH = 16  # letters of the content's, in a name
OURS = re.compile(rf"{FOLDER}/.+-[0-9a-f]{{{HASH}}}\.[a-z]+")

Speak = Callable[[str, Syscall[Any]], Awaitable[Any]]  # a token, and what is said with it


class Guarded(Protocol):
    """What the guard says of a result that is kept."""

    def lets(self, process: Process, call: Syscall[Any]) -> bool:
        """Whether the process has the right, and nobody need be asked."""
        ...

    def hears(self, process: Process, call: CallTool, result: ToolResult) -> None:
        """What the process does from now on bears the label of what the tool told."""
        ...

    def hidden(self, result: ToolResult) -> ToolResult:
        """The result without the secrets that are in it."""
        ...


class Wholes:
    """`first` is the token of the process that tidies up: the label of what it looks at is no
    agent's, and of what it removes no human is asked."""

    def __init__(
        self, speak: Speak, first: Callable[[], str], waits: Waits, warden: Guarded
    ) -> None:
        self._speak = speak
        self._first = first
        self._waits = waits
        self._warden = warden
        self._numbers = count(1)  # of waits, none of which wakes another

    async def keep(
        self, process: Process, call: CallTool, result: ToolResult, bytes_max: int
    ) -> tuple[FileRef, ...]:
        """Where the whole of it is now, of which so many bytes are told; empty: nowhere.

        The same contents have the same name: a call that is made again leaves one file.
        """
        _, beyond = capped(result.contents, BYTES_MAX)
        if beyond or not self._warden.lets(process, WriteFile(path=f"{FOLDER}/", data=b"")):
            return ()
        try:
            kept = self._kept(process, call, self._warden.hidden(result), bytes_max)
            key = ("result of", call.name, next(self._numbers))
            return await self._waits.while_waiting(kept, key, process.pid, PATIENCE_S)
        except AiosError:  # No storage, no room, no budget, no time: the result is told as it is.
            return ()

    async def _kept(
        self, process: Process, call: CallTool, result: ToolResult, bytes_max: int
    ) -> tuple[FileRef, ...]:
        files = wholes(result.contents, capped(result.contents, bytes_max)[0])
        refs = tuple(FileRef(_path(call.name, one), len(one.data)) for one in files)
        quota: Quota = await self._speak(process.token, FileUsage())
        if (quota.bytes + sum(one.bytes for one in refs)) * SHARE > quota.bytes_max:
            return ()
        self._warden.hears(process, call, result)
        for ref, one in zip(refs, files, strict=True):
            await self._speak(process.token, WriteFile(path=ref.path, data=one.data))
        await self._tidy(process.agent, frozenset(one.path for one in refs))
        return refs

    async def _tidy(self, agent: str, new: frozenset[str]) -> None:
        """The oldest go into the bin, as far as they are ours."""
        try:
            found: FileList = await self._speak(self._first(), Folder(path=FOLDER, owner=agent))
            ours = [one for one in found.files if one.path not in new and OURS.fullmatch(one.path)]
            ours.sort(key=lambda one: one.modified, reverse=True)
            for one in ours[max(0, FILES_MAX - len(new)) :]:
                await self._speak(self._first(), Delete(path=one.path, owner=agent))
        except AiosError:  # Somebody else has removed it, say; the next result tries again.
            return


def _path(tool: str, whole: Whole) -> str:
    name = tool.replace("/", "-")
    return f"{FOLDER}/{name}-{sha256(whole.data).hexdigest()[:HASH]}.{whole.ending}"
