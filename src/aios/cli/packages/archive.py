"""A package as one file: the same folder gives the same bytes, wherever and whenever it is made."""

import gzip
import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

from aios.cli.packages.manifest import manifest_in
from aios.errors import Conflict, InvalidArgument

SUFFIX = ".tar.gz"
BYTES_MAX = 256 << 20  # of all files of a package
LEFT_OUT = ("__pycache__",)  # beside what is hidden


def published(folder: Path, into: Path) -> tuple[Path, str]:
    """A checked archive of a package, its hash in a file beside it; both are told."""
    manifest = manifest_in(folder)
    data = _packed(folder)
    digest = hashlib.sha256(data).hexdigest()
    into.mkdir(parents=True, exist_ok=True)
    path = into / f"{manifest.name}-{manifest.version}{SUFFIX}"
    path.write_bytes(data)
    _beside(path).write_text(f"{digest}  {path.name}\n")
    return path, digest


def unpack(path: Path, into: Path) -> str:
    """Write an archive's files into a folder; its hash, which is that of the file beside it."""
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if _beside(path).exists():
        wanted = (_beside(path).read_text().split() or [""])[0]
        if wanted != digest:
            raise Conflict(f"{path.name}: expected sha256 {wanted}, got {digest}")
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
            size = 0
            for member in archive:
                size += member.size
                if size > BYTES_MAX or not (member.isfile() or member.isdir()):
                    raise InvalidArgument(f"{path.name}: {member.name}: expected a plain file")
                archive.extract(member, into, filter="data")
    except (tarfile.TarError, OSError, EOFError) as problem:
        raise InvalidArgument(f"{path.name}: expected an archive of files: {problem}") from None
    return digest


def copy(folder: Path, into: Path) -> None:
    """The files of a package, and nothing that is hidden or made."""
    for file in files_of(folder):
        to = into / file.relative_to(folder)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(file.read_bytes())
        to.chmod(_mode(file))


def files_of(folder: Path) -> Iterator[Path]:
    """In order of their names. A link is refused: what it names may not be there elsewhere."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if not _is_left_out(one))
        for name in sorted([*names, *folders]):
            path = Path(place, name)
            if path.is_symlink():
                raise InvalidArgument(f"{path.relative_to(folder)}: expected a file, got a link")
            if name in names and not _is_left_out(name):
                yield path


def _packed(folder: Path) -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for file in files_of(folder):
            data = file.read_bytes()
            member = tarfile.TarInfo(file.relative_to(folder).as_posix())
            member.size, member.mode = len(data), _mode(file)
            archive.addfile(member, io.BytesIO(data))
    return gzip.compress(plain.getvalue(), mtime=0)


def _mode(file: Path) -> int:
    return 0o755 if os.access(file, os.X_OK) else 0o644


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _is_left_out(name: str) -> bool:
    return name.startswith(".") or name in LEFT_OUT
