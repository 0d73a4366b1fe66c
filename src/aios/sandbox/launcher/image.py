"""What of the machine a sandbox sees: system folders, the interpreter, an /etc of a few lines.

Prepared once, in a folder of the launcher's own; afterwards only read. Where the launcher has its
own view of mounts, folders that no other user can reach are shown once more in a place where all
can, so that a sandbox with a user of its own gets at its interpreter.
"""

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from aios.sandbox.launcher import bwrap
from aios.sandbox.launcher.system import bind_read_only, unmount

SYSTEM = ("/usr", "/opt")
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
COPIED = ("etc/ld.so.cache", "etc/localtime", "etc/protocols", "etc/services", CERTIFICATES)
WRITTEN = {
    "passwd": "root:x:0:0::/:/bin/false\nsandbox:x:1000:1000::/workspace:/bin/sh\n",
    "group": "root:x:0:\nsandbox:x:1000:\n",
    "hosts": "127.0.0.1 localhost sandbox\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """The Python that runs inside: its program, the folders it needs, where its packages lie."""

    program: str
    folders: tuple[str, ...]
    packages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What there is to see, and where it lies for whom cannot enter every folder."""

    etc: str
    folders: tuple[tuple[str, str], ...]  # (where it is, where it is seen)
    links: tuple[tuple[str, str], ...]
    interpreter: Interpreter

    def view(self, program: str) -> bwrap.View:
        return bwrap.View(
            program=program,
            folders=(*self.folders, (self.etc, "/etc")),
            links=self.links,
        )

    def where(self, path: str) -> str:
        """Where a path of an image's folder really lies."""
        for lies, seen in self.folders:
            if Path(path).is_relative_to(seen):
                return str(Path(lies, Path(path).relative_to(seen)))
        return path


def prepare(place: Path, interpreter: Interpreter, *, has_own_mounts: bool) -> Image:
    """Write /etc, and show again what others cannot reach. Raises `OSError`."""
    etc = place / "etc"
    _write_etc(etc)
    folders: list[tuple[str, str]] = []
    for path in _tops((*SYSTEM, *bwrap.unmerged_folders(), *interpreter.folders)):
        lies = path
        if has_own_mounts and not is_reachable(path):
            lies = str(place / f"shown-{len(folders)}")
            Path(lies).mkdir()
            bind_read_only(path, lies)
        folders.append((lies, path))
    return Image(
        etc=str(etc),
        folders=tuple(folders),
        links=bwrap.merged_links(),
        interpreter=interpreter,
    )


def clear(place: Path) -> None:
    """Remove the launcher's folder, where the kernel is no more that would; what is shown stays."""
    for mounted in (*place.glob("shown-*"), *place.glob("workspace-*")):
        with suppress(OSError):
            unmount(str(mounted))
    with suppress(OSError):
        for shown in place.glob("shown-*"):
            shown.rmdir()  # Fails where it is still mounted: then nothing below is touched.
        shutil.rmtree(place)


def is_reachable(path: str) -> bool:
    """Whether every user may enter it."""
    return all(os.stat(one).st_mode & 0o001 for one in (Path(path), *Path(path).parents))


def _tops(paths: tuple[str, ...]) -> list[str]:
    """Those that are there and below no other of them."""
    there = sorted({path for path in paths if os.path.isdir(path)})
    return [
        path
        for path in there
        if not any(Path(path).is_relative_to(other) for other in there if other != path)
    ]


def _write_etc(etc: Path) -> None:
    etc.mkdir()
    for name, text in WRITTEN.items():
        (etc / name).write_text(text)
    for name in COPIED:
        source, target = Path("/", name), etc.parent / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):
            shutil.copyfile(source, target)
    with suppress(OSError):
        shutil.copytree("/etc/alternatives", etc / "alternatives", symlinks=True)
    for folder, _, names in os.walk(etc):
        Path(folder).chmod(0o755)
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o644)
