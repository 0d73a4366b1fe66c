"""What each syscall that changes files means: a table of steps on a draft.

Knows no disk and no journal. A step either is staged whole or raises.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from aios.errors import Conflict, InvalidArgument, NotFound, WrongState
from aios.storage.draft import Draft
from aios.storage.nodes import Node
from aios.storage.paths import FilePath, below, parse_file
from aios.storage.quota import check_file
from aios.storage.versions import wanted
from aios.syscalls import file

Change = (
    file.Create
    | file.MakeFolder
    | file.WriteFile
    | file.AppendFile
    | file.Edit
    | file.Move
    | file.Copy
    | file.Delete
)
Other = file.RollbackFile | file.Restore


async def stage(draft: Draft, call: Change | Other) -> file.FileInfo:
    """Stage one step; what stands where it changed something, once the draft is carried out."""
    result: file.FileInfo = await STEPS[type(call)](draft, call)
    return result


def paths_of(call: Change) -> list[FilePath]:
    """What a step touches, folders that it may have to make apart."""
    if isinstance(call, file.Move | file.Copy):
        return [parse_file(call.path), parse_file(call.to)]
    return [parse_file(call.path)]


async def _create(draft: Draft, call: file.Create) -> file.FileInfo:
    path = draft.target(call.path)
    await draft.free(path)
    return (await draft.write(path, call.data)).info()


async def _make_folder(draft: Draft, call: file.MakeFolder) -> file.FileInfo:
    path = draft.target(call.path)
    if await draft.find(path) is None:
        await draft.free(path)
    return (await draft.folder(path)).info()


async def _write(draft: Draft, call: file.WriteFile) -> file.FileInfo:
    path = draft.target(call.path)
    _check_base(path, await draft.find(path), call.base)
    return (await draft.write(path, call.data)).info()


async def _append(draft: Draft, call: file.AppendFile) -> file.FileInfo:
    path = draft.target(call.path)
    node = await draft.find(path)
    if node is None or not node.is_file:
        return (await draft.write(path, call.data)).info()
    check_file(node.bytes + len(call.data), draft.author.limits)
    return (await draft.write(path, await draft.content(node.sha256) + call.data)).info()


async def _edit(draft: Draft, call: file.Edit) -> file.FileInfo:
    path = draft.target(call.path)
    node = await draft.file(path)
    _check_base(path, node, call.base)
    text = _text(path, await draft.content(node.sha256))
    count = text.count(call.old)
    if count == 0:
        raise NotFound(f"the text to replace is not in {path!r}")
    if count > 1 and not call.all:
        raise InvalidArgument(
            f"expected a text that {path!r} has once, found it {count} times; give more of it"
        )
    size = node.bytes + count * (len(call.new.encode()) - len(call.old.encode()))
    check_file(size, draft.author.limits)
    return (await draft.write(path, text.replace(call.old, call.new).encode())).info()


async def _move(draft: Draft, call: file.Move) -> file.FileInfo:
    source, to = draft.target(call.path), draft.target(call.to)
    node = await draft.get(source)
    if source == to:
        return node.info()
    _check_apart(source, to)
    await draft.free(to)
    await draft.move(source, to)
    return (await draft.get(to)).info()


async def _copy(draft: Draft, call: file.Copy) -> file.FileInfo:
    source, to = parse_file(call.path), draft.target(call.to)
    await draft.get(source)
    _check_apart(source, to)
    await draft.free(to)
    await draft.copy(source, to)
    return (await draft.get(to)).info()


async def _delete(draft: Draft, call: file.Delete) -> file.FileInfo:
    path = draft.target(call.path)
    node = await draft.get(path)
    await draft.trash(path)
    return node.info()


async def _roll_back(draft: Draft, call: file.RollbackFile) -> file.FileInfo:
    path = draft.target(call.path)
    node = await draft.file(path)
    version = wanted(await draft.versions(node.id), call)
    return (await draft.refer(node, version.sha256, version.bytes)).info()


async def restore(draft: Draft, deleted: file.Deleted, call: file.Restore) -> file.FileInfo:
    """Stage the way back out of the bin."""
    path = draft.target(deleted.path if call.to is None else call.to)
    await draft.free(path)
    return (await draft.restore(deleted, path)).info()


def _check_base(path: FilePath, node: Node | None, base: int | None) -> None:
    current = node.version if node else 0
    if base is not None and base != current:
        raise Conflict(f"{path!r} is at version {current}, not {base}", base=base, current=current)


def _check_apart(source: FilePath, to: FilePath) -> None:
    if below(to, source):
        raise InvalidArgument(f"expected a target outside of {source!r}, got {to!r}")


def _text(path: FilePath, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise WrongState(
            f"{path!r} is not UTF-8 text; expected a file that can be edited"
        ) from None


STEPS: dict[type, Callable[[Draft, Any], Awaitable[file.FileInfo]]] = {
    file.Create: _create,
    file.MakeFolder: _make_folder,
    file.WriteFile: _write,
    file.AppendFile: _append,
    file.Edit: _edit,
    file.Move: _move,
    file.Copy: _copy,
    file.Delete: _delete,
    file.RollbackFile: _roll_back,
}
