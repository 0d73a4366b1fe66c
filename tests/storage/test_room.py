"""The storage room through its handlers: what the model of the machine does not cover."""

import asyncio
from collections.abc import Awaitable, Collection, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest

from aios.errors import AiosError, Conflict, InvalidArgument, NotFound, WrongState
from aios.journal import statements as sql
from aios.journal.base import Change, Work
from aios.storage.disk import RealDisk, Root, Seen
from aios.storage.paths import FilePath
from aios.syscalls import file
from aios.syscalls.base import Syscall
from aios.testing.journal import InlineJournal
from tests.storage.rooms import Desk


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


async def fails(desk: Desk, call: Syscall[Any], agent: str = "ada") -> AiosError:
    with pytest.raises(AiosError) as caught:
        await desk.call(call, agent)
    return caught.value


def test_a_change_from_an_older_version_is_a_conflict_that_carries_both(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        await desk.call(file.Create(path="plan", data=b"one"))
        await desk.call(file.WriteFile(path="plan", data=b"two", base=1))
        for stale in (
            file.WriteFile(path="plan", data=b"three", base=1),
            file.Edit(path="plan", old="two", new="three", base=1),
        ):
            problem = await fails(desk, stale)
            assert isinstance(problem, Conflict)
            assert (problem.base, problem.current) == (1, 2)
        assert desk.real("plan").read_bytes() == b"two"

    run(main())


def test_two_writers_with_the_same_base_one_wins_and_one_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        await desk.call(file.Create(path="plan", data=b"start"))
        got = await asyncio.gather(
            *(desk.call(file.WriteFile(path="plan", data=b"%d" % n, base=1)) for n in range(8)),
            return_exceptions=True,
        )
        won = [one for one in got if isinstance(one, file.FileInfo)]
        lost = [one for one in got if isinstance(one, Conflict)]
        assert (len(won), len(lost)) == (1, 7)
        assert {(one.base, one.current) for one in lost} == {(1, 2)}

    run(main())


def test_writers_of_different_files_in_a_new_folder_do_not_collide(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        await asyncio.gather(
            *(desk.call(file.Create(path=f"new/deep/{n}", data=b"x")) for n in range(20)),
            *(desk.call(file.AppendFile(path="new/log", data=b"y")) for _ in range(20)),
        )
        listed = await desk.call(file.Folder(deep=True))
        assert len(listed.files) == 23
        assert (await desk.call(file.ReadFile(path="new/log"))).data == b"y" * 20
        assert (await desk.call(file.FileUsage())).files == 23

    run(main())


def test_agents_do_not_see_each_other_and_a_child_is_not_its_parent(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        await desk.call(file.Create(path="bob/secret", data=b"mine"), "ada")
        deleted = await desk.call(file.Delete(path="bob/secret"), "ada")
        await desk.call(file.Create(path="bob/secret", data=b"mine"), "ada")
        link = await desk.call(file.ShareFile(path="bob/secret"), "ada")
        for other in ("bob", "ada/bob", "Ada", ""):
            absent = await fails(desk, file.ReadFile(path="nothing"), other)
            theirs = await fails(desk, file.ReadFile(path="bob/secret"), other)
            assert type(absent) is type(theirs) is NotFound
            assert str(theirs).replace("bob/secret", "") == str(absent).replace("nothing", "")
            assert isinstance(await fails(desk, file.Restore(id=deleted.id), other), NotFound)
            assert isinstance(await fails(desk, file.Revoke(token=link.token), other), NotFound)
            assert (await desk.call(file.Folder(deep=True), other)).files == ()
            assert (await desk.call(file.Bin(), other)).deleted == ()
            assert (await desk.call(file.Links(), other)).links == ()
        await desk.call(file.Create(path="secret", data=b"child's"), "ada/bob")
        assert (await desk.call(file.ReadFile(path="bob/secret"), "ada")).data == b"mine"

    run(main())


def test_bytes_come_back_identical_by_range_and_version(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        every = bytes(range(256)) * 300
        await desk.call(file.Create(path="f", data=every))
        await desk.call(file.AppendFile(path="f", data=b"\0\r\n"))
        whole = await desk.call(file.ReadFile(path="f"))
        assert (whole.data, whole.total_bytes, whole.version) == (every + b"\0\r\n", 76_803, 2)
        part = await desk.call(file.ReadFile(path="f", offset=250, length=10, version=1))
        assert (part.data, part.total_bytes, part.version) == (every[250:260], 76_800, 1)
        assert (await desk.call(file.ReadFile(path="f", offset=10**12))).data == b""

    run(main())


def test_rollback_by_steps_by_time_and_by_version_is_a_new_version(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        written = (b"one", b"two", b"three")
        infos = [await desk.call(file.WriteFile(path="f", data=data)) for data in written]
        times = [info.modified for info in infos]
        back = await desk.call(file.RollbackFile(path="f", time=times[1] + 0.5))
        assert (back.version, desk.real("f").read_bytes()) == (4, b"two")
        back = await desk.call(file.RollbackFile(path="f", version=1))
        assert (back.version, desk.real("f").read_bytes()) == (5, b"one")
        back = await desk.call(file.RollbackFile(path="f", steps=2))
        assert (back.version, desk.real("f").read_bytes()) == (6, b"three")
        for wrong in (
            file.RollbackFile(path="f", version=9),
            file.RollbackFile(path="f", steps=6),
            file.RollbackFile(path="f", time=times[0] - 1),
        ):
            assert isinstance(await fails(desk, wrong), NotFound)
        for vague in (file.RollbackFile(path="f"), file.RollbackFile(path="f", steps=1, version=1)):
            assert isinstance(await fails(desk, vague), InvalidArgument)

    run(main())


def test_diff_tells_lines_and_only_that_binaries_differ(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        await desk.call(file.Create(path="f", data=b"a\nb\nc"))
        await desk.call(file.WriteFile(path="f", data=b"a\nB\nc"))
        text = (await desk.call(file.Diff(path="f", old=1))).text
        assert text.splitlines()[:2] == ["--- f (version 1)", "+++ f (version 2)"]
        assert text.splitlines()[3:] == [" a", "-b", "+B", " c", "\\ No newline at end of file"]
        assert (await desk.call(file.Diff(path="f", old=2, new=2))).text == ""
        await desk.call(file.WriteFile(path="f", data=b"\0"))
        binary = await desk.call(file.Diff(path="f", old=1))
        assert binary.binary
        assert "differ" in binary.text

    run(main())


def test_edit_replaces_once_or_all_and_says_why_not(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        await desk.call(file.Create(path="f", data="ä b ä".encode()))
        assert isinstance(await fails(desk, file.Edit(path="f", old="x", new="y")), NotFound)
        twice = await fails(desk, file.Edit(path="f", old="ä", new="y"))
        assert isinstance(twice, InvalidArgument)
        assert "2 times" in str(twice)
        await desk.call(file.Edit(path="f", old="ä", new="y", all=True))
        assert desk.real("f").read_bytes() == b"y b y"
        await desk.call(file.WriteFile(path="f", data=b"\xff"))
        assert isinstance(await fails(desk, file.Edit(path="f", old="y", new="z")), WrongState)

    run(main())


def test_a_transaction_that_fails_leaves_nothing_and_names_the_step(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        await desk.call(file.Create(path="a", data=b"1"))
        steps = (
            file.WriteFile(path="a", data=b"2"),
            file.Create(path="deep/b", data=b"3"),
            file.Move(path="missing", to="c"),
        )
        problem = await fails(desk, file.Transaction(steps=steps))
        assert isinstance(problem, NotFound)
        assert str(problem).startswith("step 3: ")
        assert desk.real("a").read_bytes() == b"1"
        assert not desk.real("deep").exists()
        assert list((desk.folder / "ada" / ".aios").iterdir()) == []
        assert (await desk.call(file.FileUsage())).bytes == 1

    run(main())


def test_steps_of_a_transaction_see_each_other(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        await desk.call(file.Create(path="a", data=b"a"))
        await desk.call(file.Create(path="b", data=b"b"))
        steps = (
            file.Move(path="a", to="t"), file.Move(path="b", to="a"), file.Move(path="t", to="b"),
            file.AppendFile(path="b", data=b"!"),
        )  # fmt: skip
        done = await desk.call(file.Transaction(steps=steps))
        assert [info.path for info in done.files] == ["a", "b"]
        assert desk.real("a").read_bytes() == b"b"
        assert desk.real("b").read_bytes() == b"a!"

    run(main())


def test_listing_is_by_path_and_says_when_it_is_cut(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        for path in ("b/x", "a", "b-c", "b/y/z"):
            await desk.call(file.Create(path=path))
        top = await desk.call(file.Folder())
        assert [info.path for info in top.files] == ["a", "b", "b-c"]
        deep = await desk.call(file.Folder(path="b", deep=True))
        assert [info.path for info in deep.files] == ["b/x", "b/y", "b/y/z"]
        cut = await desk.call(file.Folder(deep=True, limit=2))
        assert (len(cut.files), cut.more) == (2, True)
        assert isinstance(await fails(desk, file.Folder(path="a")), WrongState)
        assert isinstance(await fails(desk, file.Folder(path="no")), NotFound)
        assert isinstance(await fails(desk, file.ReadFile(path="b")), WrongState)

    run(main())


def test_a_caller_who_leaves_before_the_commit_takes_the_change_back(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        stopped = asyncio.Event()
        put = desk.journal.blobs.put

        async def slow(data: bytes) -> str:
            stopped.set()
            await asyncio.Event().wait()
            return await put(data)

        desk.journal.blobs.put = slow  # type: ignore[method-assign]
        leaving = asyncio.create_task(desk.call(file.Create(path="f", data=b"x")))
        await stopped.wait()
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        desk.journal.blobs.put = put  # type: ignore[method-assign]
        assert isinstance(await fails(desk, file.Stat(path="f")), NotFound)
        await desk.call(file.Create(path="f", data=b"y"))

    run(main())


class Latecomer(RealDisk):
    """Somebody writes the same file in the moment before ours is put into place."""

    def __init__(self) -> None:
        self.data: bytes | None = None

    def place(self, root: Root, name: str, path: FilePath, before: str) -> Seen | None:
        if self.data is not None:
            Path(root.folder, path).write_bytes(self.data)
            self.data = None
        return super().place(root, name, path, before)


@pytest.mark.parametrize("is_new", [True, False])
def test_an_edit_by_hand_in_the_last_moment_is_kept_beside_ours(
    tmp_path: Path, is_new: bool
) -> None:
    async def main() -> None:
        disk = Latecomer()
        desk = Desk(tmp_path, disk=disk)
        if not is_new:
            await desk.call(file.Create(path="f", data=b"old"))
        disk.data = b"by hand"
        await desk.call(file.WriteFile(path="f", data=b"by agent"))
        await desk.storage.close()
        assert desk.real("f").read_bytes() == b"by hand"
        versions = (await desk.call(file.Versions(path="f"))).versions
        assert [one.by for one in versions][:2] == ["outside", "ada"]
        contents = [
            (await desk.call(file.ReadFile(path="f", version=one.version))).data for one in versions
        ]
        assert contents[:2] == [b"by hand", b"by agent"]

    run(main())


def test_names_are_durable_before_the_journal_forgets_that_they_may_not_be(tmp_path: Path) -> None:
    log: list[str] = []

    class Logging(RealDisk):
        def stage(self, root: Root, name: str, data: bytes) -> None:
            log.append("stage")
            super().stage(root, name, data)

        def place(self, root: Root, name: str, path: FilePath, before: str) -> Seen | None:
            log.append("place")
            return super().place(root, name, path, before)

        def sync(self, root: Root, folders: Collection[FilePath]) -> None:
            log.append(f"sync {sorted(folders)}")
            super().sync(root, folders)

    class LoggingJournal(InlineJournal):
        def post(self, changes: Sequence[Change]) -> Awaitable[None]:
            names = {change.statement for change in changes}
            log.append("close" if sql.FILE_INTENT_DROP in names else "commit")
            return super().post(changes)

    async def main() -> None:
        desk = Desk(tmp_path, LoggingJournal(), disk=Logging())
        await desk.call(file.Create(path="a/f", data=b"x"))
        await desk.storage.close()
        assert log == ["stage", "commit", "place", "sync ['', 'a']", "close"]

    run(main())


def test_a_new_kernel_knows_every_file_and_looks_at_none_at_start(tmp_path: Path) -> None:
    class Counting(RealDisk):
        looks = 0

        def look(self, root: Root, path: FilePath) -> Seen | None:
            Counting.looks += 1
            return super().look(root, path)

    async def main() -> None:
        first = Desk(tmp_path)
        for number in range(50):
            await first.call(file.Create(path="f", data=b"x"), f"agent-{number}")
        await first.storage.close()
        second = Desk(tmp_path, first.journal, disk=Counting(), seed=1)
        await second.storage.open()
        assert Counting.looks == 0
        assert (await second.call(file.ReadFile(path="f"), "agent-7")).data == b"x"

    run(main())


def test_the_same_call_with_its_work_posts_reply_and_change_in_one_commit(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        replies: list[object] = []

        def record(reply: object) -> list[Any]:
            replies.append(reply)
            return []

        handler = desk.storage.handlers[file.Create]
        call = file.Create(path="f", data=b"x")
        info = await handler("ada", call, Work(desk.journal, record))
        assert replies == [info]

    run(main())
