"""The file family: the semantic file system. Pure data.

A path is relative to the caller's own root and uses "/"; "" is the root itself. Mounted folders
appear below it under their mount's name. Every content change of a file makes a version; version
numbers start at 1 and never repeat for a path. Times are seconds since the epoch, UTC.

`owner` names another agent in whose root the path is; who has no right there is told what it would
be told of a path where nothing is. Empty means the caller's own.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from aios.syscalls.base import Ok, Syscall
from aios.syscalls.memory import AgentName
from aios.syscalls.note import SearchMode

FILE_BYTES_MAX = 1 << 30
Path = Annotated[str, Meta(max_length=4_096)]
Data = Annotated[bytes, Meta(max_length=FILE_BYTES_MAX)]
Version = Annotated[int, Meta(ge=1)]
Count = Annotated[int, Meta(ge=0)]
LinkToken = Annotated[str, Meta(min_length=1, max_length=128)]


class Create(Syscall["FileInfo"], frozen=True, tag="file.create"):
    """A new file; one that is there already raises `Conflict`. Makes missing folders."""

    path: Path
    data: Data = b""
    owner: AgentName = ""


class MakeFolder(Syscall["FileInfo"], frozen=True, tag="file.mkdir"):
    """A folder and those above it; no-op where it is there."""

    path: Path
    owner: AgentName = ""


class ReadFile(Syscall["FileData"], frozen=True, tag="file.read"):
    """Bytes of a file, of its present content or of an earlier version."""

    path: Path
    offset: Count = 0
    length: Count | None = None
    version: Version | None = None
    owner: AgentName = ""


class WriteFile(Syscall["FileInfo"], frozen=True, tag="file.write"):
    """Replace a file's content, or create it.

    With `base`, the version the change is made from, a file that moved on raises `Conflict` with
    both versions. Without one the newer content wins; the older one stays as a version.
    """

    path: Path
    data: Data
    base: Version | None = None
    owner: AgentName = ""


class AppendFile(Syscall["FileInfo"], frozen=True, tag="file.append"):
    """Add bytes at a file's end, or create it."""

    path: Path
    data: Data
    owner: AgentName = ""


class Edit(Syscall["FileInfo"], frozen=True, tag="file.edit"):
    """Replace `old`, which must occur exactly once (or `all`), by `new` in a UTF-8 file."""

    path: Path
    old: Annotated[str, Meta(min_length=1)]
    new: str
    all: bool = False
    base: Version | None = None
    owner: AgentName = ""


class Folder(Syscall["FileList"], frozen=True, tag="file.list"):
    """What a folder holds, by name; `deep` goes down into its folders."""

    path: Path = ""
    deep: bool = False
    limit: Annotated[int, Meta(ge=1, le=100_000)] = 1_000
    owner: AgentName = ""


class Stat(Syscall["FileInfo"], frozen=True, tag="file.stat"):
    """One file or folder."""

    path: Path
    owner: AgentName = ""


class Move(Syscall["FileInfo"], frozen=True, tag="file.move"):
    """Rename a file or folder with its versions. A target that is there raises `Conflict`."""

    path: Path
    to: Path
    owner: AgentName = ""


class Copy(Syscall["FileInfo"], frozen=True, tag="file.copy"):
    """Copy a file or folder, without its versions. A target that is there raises `Conflict`."""

    path: Path
    to: Path
    owner: AgentName = ""


class Delete(Syscall["Deleted"], frozen=True, tag="file.delete"):
    """Put a file or folder into the bin."""

    path: Path
    owner: AgentName = ""


class Restore(Syscall["FileInfo"], frozen=True, tag="file.restore"):
    """Take something back from the bin, to where it was or to `to`."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    to: Path | None = None


class Bin(Syscall["Deletions"], frozen=True, tag="file.bin"):
    """What lies in the bin, newest first."""


class SearchFiles(Syscall["FilesFound"], frozen=True, tag="file.search"):
    """The files nearest to `query` below `path`, best first."""

    query: Annotated[str, Meta(min_length=1, max_length=10_000)]
    path: Path = ""
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 10
    mode: SearchMode = SearchMode.HYBRID
    since: float | None = None
    until: float | None = None


class Versions(Syscall["VersionList"], frozen=True, tag="file.versions"):
    """A file's versions, newest first."""

    path: Path
    owner: AgentName = ""


class Diff(Syscall["Difference"], frozen=True, tag="file.diff"):
    """What changed from version `old` to `new` (None: the present content), as unified diff."""

    path: Path
    old: Version
    new: Version | None = None
    owner: AgentName = ""


class RollbackFile(Syscall["FileInfo"], frozen=True, tag="file.rollback"):
    """Bring back older content as a new version: exactly one of the three says which.

    `steps` versions back, the content as it was at `time`, or that `version`.
    """

    path: Path
    steps: Annotated[int, Meta(ge=1)] | None = None
    time: float | None = None
    version: Version | None = None
    owner: AgentName = ""


class ShareFile(Syscall["FileLink"], frozen=True, tag="file.share"):
    """A link by which whoever holds its token reads this file until it expires or is revoked.

    `version` binds it to one content; without it the link follows the file.
    """

    path: Path
    expires_s: Annotated[float, Meta(gt=0, le=86_400 * 366)] = 86_400.0
    version: Version | None = None
    owner: AgentName = ""


class Links(Syscall["LinkList"], frozen=True, tag="file.links"):
    """The caller's links that still work."""


class Revoke(Syscall[Ok], frozen=True, tag="file.revoke"):
    """End a link at once."""

    token: LinkToken


class OpenLink(Syscall["FileData"], frozen=True, tag="file.open_link"):
    """Read through a link. Expired, revoked and unknown tokens raise the same `NotFound`."""

    token: LinkToken


class Mount(Syscall["MountInfo"], frozen=True, tag="file.mount"):
    """Let a folder of the machine appear as `name` in the caller's root; the first process only
    may mount, for itself or for another `agent`. Changes made outside are noticed and indexed."""

    name: Annotated[str, Meta(min_length=1, max_length=255)]
    folder: Annotated[str, Meta(min_length=1, max_length=4_096)]
    writable: bool = False
    agent: Annotated[str, Meta(max_length=512)] = ""


class Unmount(Syscall[Ok], frozen=True, tag="file.unmount"):
    """The folder no longer appears; its files stay where they are."""

    name: Annotated[str, Meta(min_length=1, max_length=255)]
    agent: Annotated[str, Meta(max_length=512)] = ""


class Mounts(Syscall["MountList"], frozen=True, tag="file.mounts"):
    """The caller's mounts."""


Step = Create | WriteFile | AppendFile | Edit | Move | Copy | Delete | MakeFolder


class Transaction(Syscall["FileList"], frozen=True, tag="file.transaction"):
    """Several changes of which all are done or none, in order; also over a crash."""

    steps: Annotated[tuple[Step, ...], Meta(min_length=1, max_length=1_000)]
    owner: AgentName = ""


class FileUsage(Syscall["Quota"], frozen=True, tag="file.usage"):
    """What the caller's files and versions take, and what they may take."""


class FileInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A file or folder. `version` and `sha256` are of the present content; 0 and "" for folders."""

    path: str
    kind: Literal["file", "folder"]
    bytes: int
    version: int
    sha256: str
    modified: float


class FileData(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes from `offset` on, how many the file has, and the version they are of."""

    data: bytes
    total_bytes: int
    version: int


class FileList(msgspec.Struct, frozen=True):
    """In order of path; `more` where the limit cut it."""

    files: tuple[FileInfo, ...]
    more: bool = False


class Deleted(msgspec.Struct, frozen=True):
    """Something in the bin: its id there, where it was, and when it was deleted."""

    id: str
    path: str
    time: float
    bytes: int


class Deletions(msgspec.Struct, frozen=True):
    """Newest first."""

    deleted: tuple[Deleted, ...]


class FileFound(msgspec.Struct, frozen=True):
    """A file, its fused score, its ranks (1..), and the lines around the best match."""

    file: FileInfo
    score: float
    snippet: str
    keyword_rank: int | None = None
    semantic_rank: int | None = None


class FilesFound(msgspec.Struct, frozen=True):
    """Best first. `pending` files were written but are not indexed for the search yet."""

    files: tuple[FileFound, ...]
    pending: int = 0


class VersionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One content a file had. `by` is the agent, or "outside" for a change made past the kernel."""

    version: int
    bytes: int
    sha256: str
    time: float
    by: str


class VersionList(msgspec.Struct, frozen=True):
    """Newest first."""

    versions: tuple[VersionInfo, ...]


class Difference(msgspec.Struct, frozen=True):
    """A unified diff; empty where nothing changed. `binary` files only say that they differ."""

    text: str
    binary: bool = False


class FileLink(msgspec.Struct, frozen=True):
    """A right to read one file, for whoever holds the token."""

    token: str
    path: str
    expires: float
    version: int | None = None


class LinkList(msgspec.Struct, frozen=True):
    """In order of expiry."""

    links: tuple[FileLink, ...]


class MountInfo(msgspec.Struct, frozen=True):
    """A folder of the machine in an agent's root."""

    name: str
    folder: str
    writable: bool
    agent: str


class MountList(msgspec.Struct, frozen=True):
    """In order of name."""

    mounts: tuple[MountInfo, ...]


class Quota(msgspec.Struct, frozen=True):
    """Bytes of present files and kept versions, number of files, and the limits on both."""

    bytes: int
    bytes_max: int
    files: int
    files_max: int
