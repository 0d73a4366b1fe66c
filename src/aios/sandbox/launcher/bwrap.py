"""The namespaces tier: how bubblewrap is told what a sandbox sees. Pure: settings in, words out."""

import os
from collections.abc import Iterable
from dataclasses import dataclass

WORKSPACE = "/workspace"
SHARED_BYTES = 16 << 20
FILTER = 4  # descriptor that the seccomp filter is read from
INSIDE = 1000  # uid and gid as seen from inside
MERGED = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What of the machine every sandbox sees, read-only: (where it is, where it is seen)."""

    program: str  # bubblewrap
    folders: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str], ...]  # (what it says, where)


def words(
    view: View, disk_bytes: int, folder: str | None = None, readable: tuple[str, ...] = ()
) -> list[str]:
    """bubblewrap's arguments up to the program; `folder` takes the place of an own workspace."""
    return [
        view.program,
        *_NAMESPACES,
        *_flat("--ro-bind", view.folders),
        *_flat("--symlink", view.links),
        *("--proc", "/proc", "--dev", "/dev"),
        *("--size", str(SHARED_BYTES), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"),
        *("--size", str(disk_bytes), "--tmpfs", "/tmp"),
        *_workspace(disk_bytes, folder),
        *_flat("--ro-bind", ((path, path) for path in readable)),  # Also below /tmp.
        *("--remount-ro", "/", "--chdir", WORKSPACE, "--seccomp", str(FILTER), "--"),
    ]


def merged_links() -> tuple[tuple[str, str], ...]:
    """`/bin` and the like, where they are links into /usr."""
    return tuple((os.readlink(path), path) for path in MERGED if os.path.islink(path))


def unmerged_folders() -> tuple[str, ...]:
    """`/bin` and the like, where they are folders."""
    return tuple(path for path in MERGED if os.path.isdir(path) and not os.path.islink(path))


_NAMESPACES = (
    *("--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"),
    *("--unshare-cgroup-try", "--uid", str(INSIDE), "--gid", str(INSIDE)),
    *("--hostname", "sandbox", "--cap-drop", "ALL", "--new-session", "--die-with-parent"),
)


def _workspace(disk_bytes: int, folder: str | None) -> tuple[str, ...]:
    if folder is not None:
        return ("--bind", folder, WORKSPACE)
    return ("--size", str(disk_bytes), "--tmpfs", WORKSPACE)


def _flat(option: str, pairs: Iterable[tuple[str, str]]) -> list[str]:
    return [word for pair in pairs for word in (option, *pair)]
