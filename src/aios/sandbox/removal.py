"""Takes away a folder that an enemy filled, however deep it is and whatever rights it took away.

The standard library's own removal recurses, and a tree deep enough ends its process. Here every
folder is first moved to the top, one at a time, so neither the stack nor open files grow. Standard
library only: the launcher uses it. Nobody who could change the tree may live any more.
"""

import os
import stat
from itertools import islice
from pathlib import Path

AT_ONCE = 1_024  # entries listed at a time


def remove(folder: Path) -> None:
    """Raises `OSError` where something cannot be removed; what is left lies beside the folder."""
    folder.chmod(0o700)
    heap = folder.with_name(f"{folder.name}.removed")
    heap.mkdir(mode=0o700)
    top = os.open(heap, os.O_RDONLY | os.O_DIRECTORY)
    try:
        folder.rename(heap / "0")
        waiting, count = ["0"], 0
        while waiting:
            name = waiting.pop()
            found = _emptied(top, name, count)
            waiting += found
            count += len(found)
            os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)
    heap.rmdir()


def _emptied(top: int, name: str, count: int) -> list[str]:
    """Unlink what is no folder; move folders to the top under the numbers after `count`."""
    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
    found: list[str] = []
    try:
        while names := _some_names(inner):
            for one in names:
                if stat.S_ISDIR(os.stat(one, dir_fd=inner, follow_symlinks=False).st_mode):
                    found.append(str(count + len(found) + 1))
                    # Without its rights its owner can neither move nor list it.
                    os.chmod(one, 0o700, dir_fd=inner)
                    os.rename(one, found[-1], src_dir_fd=inner, dst_dir_fd=top)
                else:
                    os.unlink(one, dir_fd=inner)
    finally:
        os.close(inner)
    return found


def _some_names(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in islice(entries, AT_ONCE)]
