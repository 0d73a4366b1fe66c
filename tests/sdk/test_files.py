"""The client's files against the syscalls they stand for, and the blocking twin."""

import asyncio
import inspect
from typing import TypeVar

import pytest

from aios.errors import WrongState
from aios.sdk.blocking_files import SyncFiles
from aios.sdk.client import Client
from aios.sdk.files import Files
from aios.syscalls import Syscall
from aios.syscalls.file import FileData, FileInfo, ReadFile, WriteFile
from aios.syscalls.table import SYSCALLS

R = TypeVar("R")
MINE = sorted(name for name in SYSCALLS if name.startswith("file."))
NO_DEFAULT = inspect.Parameter.empty


class Notebook:
    """A transport that remembers calls and answers each with what it was given."""

    is_durable = False

    def __init__(self, reply: object) -> None:
        self.reply = reply
        self.calls: list[object] = []

    async def call(self, token: str, call: Syscall[R], *, key: str = "") -> R:
        self.calls.append(call)
        return self.reply  # type: ignore[return-value]


def files_of(notebook: Notebook) -> Files:
    return Client(notebook, "token").files  # type: ignore[arg-type]


@pytest.mark.parametrize("name", MINE)
def test_every_file_syscall_has_a_method_of_its_verb_with_its_fields_and_defaults(
    name: str,
) -> None:
    method = inspect.signature(getattr(Files, name.partition(".")[2]))
    taken = {one.name: one.default for one in list(method.parameters.values())[1:]}
    fields = inspect.signature(SYSCALLS[name]).parameters.values()
    assert taken == {one.name: one.default for one in fields}


@pytest.mark.parametrize("name", [*MINE, "file.read_text"])
def test_the_blocking_twin_has_the_same_methods(name: str) -> None:
    verb = name.partition(".")[2]
    assert inspect.signature(getattr(SyncFiles, verb)) == inspect.signature(getattr(Files, verb))


def test_a_text_is_written_as_utf8() -> None:
    info = FileInfo(path="a", kind="file", bytes=2, version=1, sha256="", modified=0.0)
    notebook = Notebook(info)
    assert asyncio.run(files_of(notebook).write("a", "é", base=3)) == info
    assert notebook.calls == [WriteFile(path="a", data="é".encode(), base=3)]


def test_text_is_read_and_bytes_that_are_none_say_so() -> None:
    notebook = Notebook(FileData(data="é".encode(), total_bytes=2, version=1))
    assert asyncio.run(files_of(notebook).read_text("a", version=1)) == "é"
    assert notebook.calls == [ReadFile(path="a", version=1)]
    broken = files_of(Notebook(FileData(data=b"\xff", total_bytes=1, version=1)))
    with pytest.raises(WrongState, match="not UTF-8 text"):
        asyncio.run(broken.read_text("a"))
