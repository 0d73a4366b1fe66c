"""`aios/files_*`: the caller's own files, through the syscalls."""

from collections.abc import Mapping
from typing import Any

from aios.errors import InvalidArgument
from aios.syscalls import file
from aios.syscalls.tool import Text
from aios.tools.base import Outside, Terms, Tool, Touch
from aios.tools.builtin.base import fields, say, text, tool, whole, yes_or_no

READ_BYTES_MAX = 200_000
LISTED_MAX = 500
PATH = "For example: notes/plan.md"
READS, WRITES = Touch("file:{path}", "read"), Touch("file:{path}", "write")


async def list_(arguments: Mapping[str, Any], outside: Outside) -> tuple[Text, ...]:
    folder = file.Folder(
        path=arguments.get("folder", ""), deep=arguments.get("deep", False), limit=LISTED_MAX
    )
    found: file.FileList = await outside.call(folder)
    lines = [_line(one) for one in found.files]
    if found.more:
        lines.append(f"... and more; {LISTED_MAX} are shown")
    return say("\n".join(lines) or "(empty)")


async def read(arguments: Mapping[str, Any], outside: Outside) -> tuple[Text, ...]:
    offset = arguments.get("offset", 0)
    most = arguments.get("bytes", READ_BYTES_MAX)
    got: file.FileData = await outside.call(
        file.ReadFile(path=arguments["path"], offset=offset, length=most)
    )
    try:
        told, end = _decoded(got, offset)
    except UnicodeDecodeError:
        raise InvalidArgument(
            f"{arguments['path']}: expected text in UTF-8; it is binary, {got.total_bytes:,} bytes"
        ) from None
    if end < got.total_bytes:
        told += f"\n[bytes {offset:,} to {end:,} of {got.total_bytes:,}; read on at offset {end}]"
    return say(told)


async def write(arguments: Mapping[str, Any], outside: Outside) -> tuple[Text, ...]:
    data = _encoded(arguments["text"])
    kind = file.AppendFile if arguments.get("append", False) else file.WriteFile
    info: file.FileInfo = await outside.call(kind(path=arguments["path"], data=data))
    return say(f"{info.path}: {info.bytes:,} bytes, version {info.version}")


async def edit(arguments: Mapping[str, Any], outside: Outside) -> tuple[Text, ...]:
    call = file.Edit(
        path=arguments["path"],
        old=arguments["old"],
        new=arguments["new"],
        all=arguments.get("all", False),
    )
    info: file.FileInfo = await outside.call(call)
    return say(f"{info.path}: changed, version {info.version}")


async def move(arguments: Mapping[str, Any], outside: Outside) -> tuple[Text, ...]:
    info: file.FileInfo = await outside.call(file.Move(path=arguments["path"], to=arguments["to"]))
    return say(f"moved to {info.path}")


async def delete(arguments: Mapping[str, Any], outside: Outside) -> tuple[Text, ...]:
    gone: file.Deleted = await outside.call(file.Delete(path=arguments["path"]))
    return say(f"{gone.path}: in the bin as {gone.id}")


def tools() -> tuple[Tool, ...]:
    path = text(PATH, minLength=1)
    return (*_looking(path), *_changing(path))


def _looking(path: Mapping[str, Any]) -> tuple[Tool, ...]:
    return (
        tool(
            "files_list",
            "List your files in a folder.",
            fields(
                folder=text("Empty for all your files.", default=""),
                deep=yes_or_no("Also what its folders hold.", default=False),
            ),
            list_,
            Terms(repeatable=True),
        ),
        tool(
            "files_read",
            "Read one of your text files.",
            fields(
                path=path,
                offset=whole("Byte to begin at.", 0, 1 << 40, default=0),
                bytes=whole("How many at most.", 1, READ_BYTES_MAX, default=READ_BYTES_MAX),
            ),
            read,
            Terms(touches=(READS,), repeatable=True),
        ),
    )


def _changing(path: Mapping[str, Any]) -> tuple[Tool, ...]:
    return (
        tool(
            "files_write",
            "Write a text file: create it, or replace it. Its older content stays as a version.",
            fields(
                path=path,
                text=text("The whole new content."),
                append=yes_or_no("Add to the end instead.", default=False),
            ),
            write,
            Terms(touches=(WRITES,)),
        ),
        tool(
            "files_edit",
            "Replace a piece of a text file by another.",
            fields(
                path=path,
                old=text("The piece as it is; it must occur exactly once.", minLength=1),
                new=text("What it becomes."),
                all=yes_or_no("Replace it wherever it occurs.", default=False),
            ),
            edit,
            Terms(touches=(WRITES,)),
        ),
        tool(
            "files_move",
            "Rename a file or folder.",
            fields(path=path, to=text("The new path.", minLength=1)),
            move,
            Terms(touches=(WRITES, Touch("file:{to}", "write"))),
        ),
        tool(
            "files_delete",
            "Put a file or folder into the bin.",
            fields(path=path),
            delete,
            Terms(touches=(WRITES,)),
        ),
    )


def _line(one: file.FileInfo) -> str:
    if one.kind == "folder":
        return f"{one.path}/"
    return f"{one.path}  {one.bytes:,} bytes, version {one.version}"


def _decoded(got: file.FileData, offset: int) -> tuple[str, int]:
    """Text, and where to read on: a letter that the range cut in two is read the next time."""
    data = got.data
    begin = 0
    while offset and begin < len(data) and data[begin] & 0xC0 == 0x80:
        begin += 1
    end = len(data)
    if offset + end < got.total_bytes:
        end = _whole_letters(data)
    return data[begin:end].decode(), offset + end


def _whole_letters(data: bytes) -> int:
    """How many bytes there are without a last letter that is not whole."""
    for back in range(1, min(4, len(data)) + 1):
        first = data[-back]
        if first & 0xC0 != 0x80:
            size = 1 if first < 0x80 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4
            return len(data) if size <= back else len(data) - back
    return len(data)


def _encoded(words: str) -> bytes:
    try:
        return words.encode()
    except UnicodeEncodeError:
        raise InvalidArgument("text: expected whole letters, got half of one") from None
