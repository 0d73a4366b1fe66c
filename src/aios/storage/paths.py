"""Names of files: a caller's text becomes a checked path, or an error that says what was expected.

Pure parsing. Knows no disk: whether a path leads anywhere, and through what, is `disk`'s to see.
"""

import re
from hashlib import sha256
from typing import NewType

from aios.errors import InvalidArgument

FilePath = NewType("FilePath", str)  # Parsed: segments joined by "/", none of them special.

ROOT = FilePath("")
OURS = ".aios"  # The one name in an agent's root, and in a mount, that the kernel keeps.
NAME_BYTES_MAX = 255
PATH_BYTES_MAX = 4_096
RESERVED = frozenset({".", "..", OURS})
FIRST = "+first"  # The first process has no name of its own; "+" is in no agent's folder name.
FOLDER_BYTES_MAX = 200
_SPECIAL = re.compile(r"^\.|[^\w .,@=()-]")


def parse(text: str) -> FilePath:
    """The path that `text` names, kept to the letter: case, spaces and composition included."""
    if not text:
        return ROOT
    if text.startswith("/"):
        raise InvalidArgument(f"expected a path relative to the agent's root, got {_shown(text)}")
    if len(_encoded(text)) > PATH_BYTES_MAX:
        raise InvalidArgument(f"expected a path of at most {PATH_BYTES_MAX} bytes")
    for segment in text.split("/"):
        _check_name(segment, text)
    return FilePath(text)


def parse_file(text: str) -> FilePath:
    """A path of something inside the root, not the root itself."""
    if not text:
        raise InvalidArgument("expected the path of a file or folder, got the root itself")
    return parse(text)


def parse_name(text: str) -> FilePath:
    """A single name at the top of a root."""
    if "/" in text:
        raise InvalidArgument(f"expected one name without '/', got {_shown(text)}")
    return parse_file(text)


def is_nameable(name: str) -> bool:
    """Whether a name found on disk is one that a path can have."""
    try:
        _check_name(name, name)
    except InvalidArgument:
        return False
    return "/" not in name


def parent(path: FilePath) -> FilePath:
    return FilePath(path.rpartition("/")[0])


def parents(path: FilePath) -> list[FilePath]:
    """The folders above `path`, the outermost first, without the root."""
    segments = path.split("/")
    return [FilePath("/".join(segments[:end])) for end in range(1, len(segments))]


def top(path: FilePath) -> FilePath:
    """The first segment: where a mount would be."""
    return FilePath(path.partition("/")[0])


def below(path: FilePath, folder: FilePath) -> bool:
    """Whether `path` is `folder` or lies in it, however deep."""
    return not folder or path == folder or path.startswith(folder + "/")


def joined(folder: FilePath, name: str) -> FilePath:
    return FilePath(f"{folder}/{name}" if folder else name)


def moved(path: FilePath, source: FilePath, target: FilePath) -> FilePath:
    """Where `path`, which lies below `source`, is once that is called `target`."""
    assert below(path, source), "only what is below moves along"
    return FilePath(target + path[len(source) :])


def folder_of(agent: str) -> str:
    """The name of an agent's folder: "travel", and "travel+flights" for its child.

    Side by side, never one in the other: a child's files are not its parent's. Whatever stands in
    a name, two agents never share a folder: letters that mean something are escaped, and a name
    too long for a disk ends in its hash.
    """
    if not agent:
        return FIRST
    parts = [_SPECIAL.sub(_escaped, part) for part in agent.split("/")]
    name = "+".join(parts)
    if len(name.encode()) <= FOLDER_BYTES_MAX and all(parts):
        return name
    return f"{name[:40]}+~{sha256(agent.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "surrogatepass"))


def _check_name(name: str, path: str) -> None:
    if not name:
        raise InvalidArgument(f"expected names between single '/', got {_shown(path)}")
    if name in RESERVED:
        raise InvalidArgument(f"expected a name other than {sorted(RESERVED)} in {_shown(path)}")
    if "\0" in name:
        raise InvalidArgument(f"expected a path without NUL bytes, got {_shown(path)}")
    if len(_encoded(name)) > NAME_BYTES_MAX:
        raise InvalidArgument(f"expected names of at most {NAME_BYTES_MAX} bytes in {_shown(path)}")


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InvalidArgument(f"expected a path that is valid UTF-8, got {_shown(text)}") from None


def _shown(text: str) -> str:
    """Printable whatever it holds, and short."""
    return ascii(text if len(text) <= 80 else text[:80] + "...")
