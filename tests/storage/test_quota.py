"""Limits: bytes, files, versions, the bin. What is refused changes nothing."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from aios.errors import NotFound, QuotaExceeded
from aios.storage import FileLimits
from aios.storage.quota import DAY_S, outdated
from aios.syscalls import file
from aios.syscalls.file import VersionInfo
from tests.storage.rooms import Desk


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def version(number: int, time: float) -> VersionInfo:
    return VersionInfo(version=number, bytes=1, sha256="", time=time, by="ada")


def test_bytes_over_the_limit_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path, limits=FileLimits(bytes_max=100))
        await desk.call(file.Create(path="f", data=b"x" * 60))
        for call in (
            file.Create(path="g", data=b"y" * 41), file.AppendFile(path="f", data=b"z"),
            file.Copy(path="f", to="g"),
            file.Transaction(steps=(file.Create(path="g", data=b"1" * 40),
                                    file.Create(path="h", data=b"2"))),
        ):  # fmt: skip
            with pytest.raises(QuotaExceeded, match="at most 100"):
                await desk.call(call)
        await desk.call(file.Create(path="g", data=b"y" * 40))
        usage = await desk.call(file.FileUsage())
        assert (usage.bytes, usage.bytes_max, usage.files) == (100, 100, 2)
        assert not desk.real("h").exists()
        await desk.call(file.Move(path="g", to="h"))
        await desk.call(file.Create(path="f", data=b"x" * 100), "bob")

    run(main())


def test_writers_at_the_same_time_do_not_pass_the_limit_together(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path, limits=FileLimits(bytes_max=100, files_max=6))
        got = await asyncio.gather(
            *(desk.call(file.Create(path=f"f{n}", data=bytes(30))) for n in range(20)),
            return_exceptions=True,
        )
        assert sum(isinstance(one, file.FileInfo) for one in got) == 3
        usage = await desk.call(file.FileUsage())
        assert (usage.bytes, usage.files) == (90, 3)

    run(main())


def test_files_and_folders_are_counted(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path, limits=FileLimits(files_max=3, file_bytes_max=10))
        await desk.call(file.Create(path="a/b/c"))
        for call in (file.MakeFolder(path="d"), file.Copy(path="a/b/c", to="a/d")):
            with pytest.raises(QuotaExceeded, match="at most 3"):
                await desk.call(call)
        with pytest.raises(QuotaExceeded, match="at most 10"):
            await desk.call(file.WriteFile(path="a/b/c", data=bytes(11)))
        await desk.call(file.Delete(path="a/b/c"))
        await desk.call(file.MakeFolder(path="d"))

    run(main())


def test_the_bin_makes_way_for_what_is_new_the_oldest_first(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path, limits=FileLimits(bytes_max=100))
        for name in ("old", "new"):
            await desk.call(file.Create(path=name, data=bytes(40)))
            await desk.call(file.Delete(path=name))
        await desk.call(file.Create(path="f", data=bytes(50)))
        (left,) = (await desk.call(file.Bin())).deleted
        assert left.path == "new"
        assert (await desk.call(file.FileUsage())).bytes == 90
        with pytest.raises(QuotaExceeded):
            await desk.call(file.Create(path="g", data=bytes(51)))
        assert len((await desk.call(file.Bin())).deleted) == 1

    run(main())


def test_the_bin_forgets_what_is_old_or_too_much(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path, limits=FileLimits(bin_days=1, bin_max=2))
        ids = []
        for number in range(5):
            await desk.call(file.Create(path="f", data=b"%d" % number))
            ids.append((await desk.call(file.Delete(path="f"))).id)
        kept = [one.id for one in (await desk.call(file.Bin())).deleted]
        assert kept == [ids[4], ids[3], ids[2]]  # The newest comes on top of the two.
        desk.clock.time += 2 * DAY_S
        await desk.call(file.Create(path="g"))
        last = await desk.call(file.Delete(path="g"))
        assert [one.id for one in (await desk.call(file.Bin())).deleted] == [last.id]
        with pytest.raises(NotFound):
            await desk.call(file.Restore(id=ids[4]))
        assert (await desk.call(file.FileUsage())).bytes == 0

    run(main())


def test_a_file_keeps_as_many_versions_as_it_may(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path, limits=FileLimits(versions_max=3))
        for number in range(6):
            await desk.call(file.WriteFile(path="f", data=b"%d" % number))
        versions = (await desk.call(file.Versions(path="f"))).versions
        assert [one.version for one in versions] == [6, 5, 4]
        assert (await desk.call(file.FileUsage())).bytes == 3
        with pytest.raises(NotFound, match="from 4 to 6"):
            await desk.call(file.ReadFile(path="f", version=3))
        assert len(await desk.storage.blobs()) == 3

    run(main())


def test_versions_go_with_age_but_for_the_newest() -> None:
    limits = FileLimits(versions_days=2)
    now = 10 * DAY_S
    versions = [version(4, 0), version(3, now - DAY_S), version(2, now - 3 * DAY_S), version(1, 0)]
    assert [one.version for one in outdated(versions, now, limits)] == [2, 1]
    assert outdated(versions[:1], now, limits) == []


def test_a_change_outside_is_taken_over_even_when_the_quota_is_used_up(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path, limits=FileLimits(bytes_max=10))
        await desk.call(file.Create(path="f", data=bytes(10)))
        desk.real("f").write_bytes(b"by hand, and long")
        assert (await desk.call(file.ReadFile(path="f"))).data == b"by hand, and long"
        with pytest.raises(QuotaExceeded):
            await desk.call(file.AppendFile(path="f", data=b"!"))

    run(main())
