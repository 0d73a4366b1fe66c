"""What people and other programs do to the real files becomes part of the agents' files."""

import asyncio
import os
import shutil
from collections.abc import Coroutine
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from aios.errors import Denied, NoSpace, NotFound
from aios.journal import statements as sql
from aios.storage.disk import RealDisk, Root
from aios.syscalls import file
from tests.storage.rooms import Desk


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


async def look_around(desk: Desk, rounds: int = 3) -> None:
    """Let the watch come by, and a while pass."""
    desk.clock.time = max(desk.clock.time, 4e9)  # All that was written by hand is long settled.
    for _ in range(rounds):
        await desk.storage.watch_once()


async def outbox(desk: Desk) -> int:
    return len(await desk.journal.read(sql.OUTBOX_OLDEST, "file", 1_000))


def test_an_edit_by_hand_is_a_version_and_is_given_to_the_index(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        await desk.call(file.Create(path="f", data=b"one"))
        for place, _ in await desk.journal.read(sql.OUTBOX_OLDEST, "file", 10):
            await desk.journal.post([(sql.OUTBOX_DONE, (place,))])  # type: ignore[list-item]
        desk.real("f").write_bytes(b"two, by hand")
        await look_around(desk)
        versions = (await desk.call(file.Versions(path="f"))).versions
        assert [(one.version, one.by) for one in versions] == [(2, "outside"), (1, "ada")]
        assert await outbox(desk) == 1
        assert (await desk.call(file.RollbackFile(path="f", steps=1))).version == 3
        assert desk.real("f").read_bytes() == b"one"

    run(main())


def test_files_made_moved_and_removed_by_hand_are_noticed_by_the_watch(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        await desk.call(file.Create(path="old/f", data=b"one"))
        desk.real("new/deep").mkdir(parents=True)
        desk.real("new/deep/g").write_bytes(b"by hand")
        desk.real("old/f").rename(desk.real("new/f"))
        await look_around(desk, rounds=5)
        nodes = await desk.journal.read(sql.FILES_BELOW, "ada", "", "", b"", 100)
        assert [row[2] for row in nodes] == ["new", "new/deep", "new/deep/g", "new/f", "old"]
        (lost,) = (await desk.call(file.Bin())).deleted
        assert (lost.path, lost.bytes) == ("old/f", 3)

    run(main())


def test_a_file_that_is_being_written_is_left_for_the_next_time_round(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        await desk.call(file.Create(path="f", data=b"one"))
        desk.real("f").write_bytes(b"half of it")
        stat = desk.real("f").stat()
        desk.clock.time = stat.st_mtime + 0.1
        await desk.storage.watch_once()
        await desk.storage.watch_once()
        assert len(await desk.journal.read(sql.FILE_BLOBS)) == 1
        await look_around(desk)
        assert len(await desk.journal.read(sql.FILE_BLOBS)) == 2

    run(main())


def test_a_change_by_base_after_an_edit_by_hand_is_a_conflict(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        await desk.call(file.Create(path="f", data=b"one"))
        desk.real("f").write_bytes(b"by hand")
        with pytest.raises(Exception, match="at version 2, not 1"):
            await desk.call(file.WriteFile(path="f", data=b"two", base=1))
        await desk.call(file.AppendFile(path="f", data=b"!"))
        assert desk.real("f").read_bytes() == b"by hand!"

    run(main())


@pytest.mark.parametrize("target", ["/etc", "../bob", "/proc/self/root/etc", "."])
def test_links_that_somebody_put_there_lead_nowhere(tmp_path: Path, target: str) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        await desk.call(file.Create(path="secret", data=b"bob's"), "bob")
        await desk.call(file.Create(path="mine"))
        os.symlink(target, desk.real("link"))
        assert [one.path for one in (await desk.call(file.Folder(deep=True))).files] == ["mine"]
        for path in ("link", "link/passwd", "link/secret", "link/mine"):
            with pytest.raises(NotFound):
                await desk.call(file.ReadFile(path=path))
            for call in (
                file.WriteFile(path=path, data=b"x"), file.MakeFolder(path=path),
                file.Copy(path="mine", to=path), file.Move(path="mine", to=path),
            ):  # fmt: skip
                with pytest.raises(Denied, match="link or a special file"):
                    await desk.call(call)
        assert desk.real("link").is_symlink()
        assert not (desk.folder / "bob" / "passwd").exists()

    run(main())


def test_a_folder_swapped_for_a_link_is_gone_for_the_agent_and_in_the_bin(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        await desk.call(file.Create(path="a/f", data=b"mine"))
        shutil.rmtree(desk.real("a"))
        os.symlink("/etc", desk.real("a"))
        with pytest.raises(NotFound):
            await desk.call(file.ReadFile(path="a/passwd"))
        assert (await desk.call(file.Folder(deep=True))).files == ()
        (lost,) = (await desk.call(file.Bin())).deleted
        await desk.call(file.Restore(id=lost.id, to="b"))
        assert desk.real("b/f").read_bytes() == b"mine"

    run(main())


def test_a_root_that_is_gone_is_written_anew_from_the_journal(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        await desk.call(file.Create(path="a/f", data=b"mine"))
        shutil.rmtree(desk.folder)
        assert (await desk.call(file.ReadFile(path="a/f"))).data == b"mine"
        assert desk.real("a/f").read_bytes() == b"mine"
        assert (await desk.call(file.Bin())).deleted == ()

    run(main())


def test_a_root_that_is_gone_comes_back_when_it_is_listed_or_watched(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        await desk.call(file.Create(path="a/f", data=b"mine"))
        await desk.call(file.Create(path="b", data=b"too"))
        for look in (desk.call(file.Folder()), look_around(desk)):
            shutil.rmtree(desk.folder)
            await look
            assert desk.real("a/f").read_bytes() == b"mine"
            assert desk.real("b").read_bytes() == b"too"
        assert (await desk.call(file.Bin())).deleted == ()

    run(main())


def test_a_root_that_could_not_all_be_written_anew_loses_nothing(tmp_path: Path) -> None:
    class Full(RealDisk):
        room = 1

        def stage(self, root: Root, name: str, data: bytes) -> None:
            if self.room < 1:
                raise NoSpace("full")
            self.room -= 1
            super().stage(root, name, data)

    async def main() -> None:
        desk = Desk(tmp_path)
        for name in "abc":
            await desk.call(file.Create(path=name, data=name.encode()))
        shutil.rmtree(desk.folder)
        full = Desk(tmp_path, desk.journal, disk=Full(), clock=desk.clock, seed=1)
        with suppress(NoSpace):
            await full.call(file.ReadFile(path="c"))
        assert len(list(desk.real("").glob("[abc]"))) == 1
        later = Desk(tmp_path, desk.journal, clock=desk.clock, seed=2)  # after a kill
        await later.storage.open()
        await look_around(later)
        assert [one.path for one in (await later.call(file.Folder())).files] == ["a", "b", "c"]
        assert [desk.real(name).read_bytes() for name in "abc"] == [b"a", b"b", b"c"]
        assert (await later.call(file.Bin())).deleted == ()

    run(main())


def test_a_special_file_or_one_that_cannot_be_named_is_left_alone(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        await desk.call(file.Create(path="a/f", data=b"mine"))
        os.mkfifo(desk.real("a/pipe"))
        os.close(os.open(os.fsencode(desk.real("a")) + b"/bad\xff", os.O_CREAT | os.O_WRONLY))
        await look_around(desk)
        assert len((await desk.call(file.Folder(deep=True))).files) == 2
        await desk.call(file.Delete(path="a"))
        assert sorted(os.listdir(os.fsencode(desk.real("a")))) == [b"bad\xff", b"pipe"]

    run(main())


def test_the_watch_looks_at_a_bounded_number_of_entries_a_round(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        await desk.call(file.Create(path="f"))
        for number in range(30):
            desk.real(f"d{number}").mkdir()
            for inner in range(100):
                desk.real(f"d{number}/{inner}").write_bytes(b"")
        desk.clock.time = 4e9
        taken = []
        for _ in range(12):
            await desk.storage.watch_once()
            taken.append((await desk.call(file.FileUsage())).files)
        steps = [after - before for before, after in pairwise(taken)]
        assert max(steps) <= 1_200
        assert taken[-1] == 3_031

    run(main())
