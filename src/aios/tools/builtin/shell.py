"""`aios/shell`: a command in a sandbox, beside a copy of the caller's files.

The copy is thrown away; what the command changed or made comes back through the syscalls, as
versions of the caller's files. What it removed stays: a copy that was not whole must not delete.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from aios.errors import AiosError
from aios.sandbox.base import Bounds, File, Job, Outcome, Sandbox, Whose
from aios.syscalls import file
from aios.syscalls.tool import FileRef
from aios.tools.base import Outside, Ran, Terms, Tool, Touch
from aios.tools.builtin.base import fields, text, tool, whole
from aios.tools.builtin.outcomes import told

CALL_S_MAX = 300
FILES_MAX = 500
BYTES_MAX = 16 << 20
BOUNDS = Bounds(wall_s=CALL_S_MAX, cpu_s=CALL_S_MAX)


class _Brought(msgspec.Struct, frozen=True):
    """A copy that the command gets, and the version it is of."""

    data: bytes
    version: int


def tools(sandbox: Sandbox) -> tuple[Tool, ...]:
    async def run(arguments: Mapping[str, Any], outside: Outside) -> Ran:
        folder = arguments.get("folder", "").strip("/")
        brought, left_out = await _copies(folder, outside)
        seconds = float(arguments.get("seconds", 60))
        job = _job(arguments["command"], brought, seconds)
        whose = Whose(outside.agent, outside.pid, "aios/shell")
        outcome = await sandbox.run(msgspec.structs.replace(job, whose=whose))
        kept, not_kept = await _kept(folder, brought, outcome, outside)
        remarks = (*left_out, *not_kept, *(f"not kept: {one}" for one in outcome.not_collected))
        return told(outcome, remarks, kept)

    return (
        tool(
            "shell",
            "Run a shell command in a sandbox without network. It starts in a copy of your files; "
            "what it changes or makes there is kept as new versions.",
            fields(
                command=text("For example: wc -l *.csv", minLength=1),
                folder=text("Copy this folder of yours only.", default=""),
                seconds=whole("Time limit.", 1, CALL_S_MAX, default=60),
            ),
            run,
            Terms(touches=(Touch("file:{folder}", "write"),), timeout_s=CALL_S_MAX + 120.0),
        ),
    )


def _job(command: str, brought: Mapping[str, _Brought], seconds: float) -> Job:
    return Job(
        argv=("sh", "-c", command),
        environment={"HOME": "/workspace", "LANG": "C.UTF-8"},
        files=tuple(File(path, one.data) for path, one in brought.items()),
        bounds=msgspec.structs.replace(BOUNDS, wall_s=seconds),
        collect=("**",),
    )


async def _copies(folder: str, outside: Outside) -> tuple[dict[str, _Brought], tuple[str, ...]]:
    """Copies by their path below the folder, and a remark where not all fit."""
    listing = file.Folder(path=folder, deep=True, limit=FILES_MAX)
    listed: file.FileList = await outside.call(listing)
    copies: dict[str, _Brought] = {}
    room, missing = BYTES_MAX, int(listed.more)
    for one in listed.files:
        if one.kind == "folder":
            continue
        if one.bytes > room:
            missing += 1
            continue
        got: file.FileData = await outside.call(file.ReadFile(path=one.path))
        room -= len(got.data)
        copies[_below(folder, one.path)] = _Brought(got.data, got.version)
    if not missing:
        return copies, ()
    return copies, (
        f"only {len(copies)} of your files were there: at most {FILES_MAX} files and "
        f"{BYTES_MAX >> 20} MiB are copied; name a folder",
    )


async def _kept(
    folder: str, brought: Mapping[str, _Brought], outcome: Outcome, outside: Outside
) -> tuple[list[FileRef], tuple[str, ...]]:
    """Write what is new or another; what cannot be written is told."""
    kept: list[FileRef] = []
    remarks: list[str] = []
    there = {one.path for one in outcome.files}
    for one in outcome.files:
        before = brought.get(one.path)
        if before is not None and before.data == one.data:
            continue
        path = f"{folder}/{one.path}".lstrip("/")
        base = None if before is None else before.version
        try:
            await outside.call(file.WriteFile(path=path, data=one.data, base=base))
        except AiosError as problem:
            remarks.append(f"not kept: {path}: {problem.message}")
        else:
            kept.append(FileRef(path, len(one.data)))
    gone = sorted(brought.keys() - there)
    if gone and not outcome.not_collected and outcome.ended == "exited":
        remarks.append(f"still there: {', '.join(gone[:10])}; only files_delete deletes your files")
    return kept, tuple(remarks)


def _below(folder: str, path: str) -> str:
    return path.removeprefix(f"{folder}/") if folder else path
