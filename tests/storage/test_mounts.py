"""Folders of the machine in an agent's root: read-only, or read and write; never further."""

import asyncio
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from aios.errors import Conflict, Denied, InvalidArgument, NotFound
from aios.syscalls import file
from tests.storage.rooms import Desk


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def tree(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*"))


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    (folder / "inner").mkdir(parents=True)
    (folder / "a.txt").write_bytes(b"alpha")
    (folder / "inner" / "b.txt").write_bytes(b"beta")
    return folder


def test_a_mount_shows_a_folder_and_its_files_get_versions(tmp_path: Path, docs: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path / "home")
        await desk.call(file.Mount(name="docs", folder=str(docs), writable=True))
        listed = await desk.call(file.Folder(deep=True))
        paths = [one.path for one in listed.files]
        assert paths == ["docs", "docs/a.txt", "docs/inner", "docs/inner/b.txt"]
        await desk.call(file.WriteFile(path="docs/a.txt", data=b"better", base=1))
        await desk.call(file.Move(path="docs/inner", to="docs/moved"))
        await desk.call(file.Copy(path="docs/moved/b.txt", to="mine"))
        await desk.call(file.Move(path="mine", to="docs/mine"))
        assert (docs / "a.txt").read_bytes() == b"better"
        assert (docs / "moved/b.txt").read_bytes() == (docs / "mine").read_bytes() == b"beta"
        (docs / "a.txt").write_bytes(b"by hand")
        assert (await desk.call(file.ReadFile(path="docs/a.txt"))).version == 3

    run(main())


def test_a_read_only_mount_is_never_written(tmp_path: Path, docs: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path / "home")
        await desk.call(file.Mount(name="docs", folder=str(docs)))
        await desk.call(file.Create(path="mine"))
        before = tree(docs)
        for call in (
            file.WriteFile(path="docs/a.txt", data=b"x"), file.Create(path="docs/new"),
            file.Delete(path="docs/a.txt"), file.Move(path="docs/a.txt", to="stolen"),
            file.Move(path="mine", to="docs/mine"), file.Copy(path="mine", to="docs/mine"),
            file.MakeFolder(path="docs/new"), file.RollbackFile(path="docs/a.txt", version=1),
            file.Delete(path="docs"), file.Move(path="docs", to="d"),
            file.Transaction(steps=(file.AppendFile(path="docs/a.txt", data=b"x"),)),
        ):  # fmt: skip
            with pytest.raises(Denied):
                await desk.call(call)
        assert (await desk.call(file.Copy(path="docs/a.txt", to="copy"))).bytes == 5
        assert tree(docs) == before

    run(main())


def test_a_mount_survives_a_restart_and_an_unmount_leaves_its_files(
    tmp_path: Path, docs: Path
) -> None:
    async def main() -> None:
        first = Desk(tmp_path / "home")
        await first.call(file.Mount(name="docs", folder=str(docs), writable=True))
        await first.call(file.ReadFile(path="docs/a.txt"))
        second = Desk(tmp_path / "home", first.journal, seed=1)
        await second.storage.open()
        assert (await second.call(file.ReadFile(path="docs/a.txt"))).data == b"alpha"
        assert [one.name for one in (await second.call(file.Mounts())).mounts] == ["docs"]
        await second.call(file.Unmount(name="docs"))
        assert (await second.call(file.Folder(deep=True))).files == ()
        assert (await second.call(file.Bin())).deleted == ()
        assert (await second.call(file.FileUsage())).bytes == 0
        assert (docs / "a.txt").read_bytes() == b"alpha"
        await second.call(file.Mount(name="docs", folder=str(docs)))
        assert (await second.call(file.Stat(path="docs/a.txt"))).version == 2

    run(main())


def test_a_mounted_folder_that_went_away_is_not_taken_for_deleted(
    tmp_path: Path, docs: Path
) -> None:
    async def main() -> None:
        desk = Desk(tmp_path / "home")
        await desk.call(file.Mount(name="docs", folder=str(docs)))
        await desk.call(file.Folder(deep=True))
        os.rename(docs, tmp_path / "unplugged")
        os.symlink("/etc", docs)
        assert (await desk.call(file.ReadFile(path="docs/a.txt"))).data == b"alpha"
        with pytest.raises(NotFound):
            await desk.call(file.ReadFile(path="docs/passwd"))
        os.unlink(docs)
        os.rename(tmp_path / "unplugged", docs)
        assert len((await desk.call(file.Folder(path="docs", deep=True))).files) == 3
        assert (await desk.call(file.Bin())).deleted == ()

    run(main())


def test_what_cannot_be_mounted_is_refused(tmp_path: Path, docs: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path / "home")
        await desk.call(file.Create(path="taken"))
        await desk.call(file.Mount(name="docs", folder=str(docs)))
        kernels = desk.folder
        for name, folder, error in (
            ("x", "relative", InvalidArgument), ("x", "/nul\0", InvalidArgument),
            ("x", str(kernels), InvalidArgument), ("x", str(kernels / "bob"), InvalidArgument),
            ("x", "/", InvalidArgument), ("x", str(docs / "missing"), NotFound),
            ("x", str(docs / "a.txt"), NotFound), ("docs", str(docs), Conflict),
            ("taken", str(docs), Conflict), ("a/b", str(docs), InvalidArgument),
            ("..", str(docs), InvalidArgument), (".aios", str(docs), InvalidArgument),
        ):  # fmt: skip
            with pytest.raises(error):
                await desk.call(file.Mount(name=name, folder=folder))
        os.symlink(kernels, tmp_path / "sly")
        with pytest.raises(InvalidArgument, match="apart from the kernel's own"):
            await desk.call(file.Mount(name="x", folder=str(tmp_path / "sly")))

    run(main())
