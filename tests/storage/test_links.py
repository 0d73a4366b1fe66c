"""Links: a token opens one file, for whoever holds it, as long as it works."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from aios.errors import AiosError, NotFound, QuotaExceeded
from aios.storage import FileLimits
from aios.syscalls import file
from tests.storage.rooms import Desk


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


async def opened(desk: Desk, token: str) -> AiosError | bytes:
    try:
        return (await desk.call(file.OpenLink(token=token), "somebody")).data
    except AiosError as problem:
        return problem


def test_a_link_follows_its_file_unless_it_is_bound_to_a_version(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        await desk.call(file.Create(path="f", data=b"one"))
        free = await desk.call(file.ShareFile(path="f"))
        bound = await desk.call(file.ShareFile(path="f", version=1))
        await desk.call(file.WriteFile(path="f", data=b"two"))
        await desk.call(file.Move(path="f", to="deep/g"))
        assert await opened(desk, free.token) == b"two"
        assert await opened(desk, bound.token) == b"one"
        desk.real("deep/g").write_bytes(b"by hand")
        assert await opened(desk, free.token) == b"by hand"
        listed = (await desk.call(file.Links())).links
        assert {one.token for one in listed} == {free.token, bound.token}
        assert {one.path for one in listed} == {"deep/g"}

    run(main())


def test_expired_revoked_unknown_and_orphaned_links_raise_the_same(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path)
        for path in ("expires", "revoked", "deleted", "purged"):
            await desk.call(file.Create(path=path))
        expires = await desk.call(file.ShareFile(path="expires", expires_s=50))
        revoked = await desk.call(file.ShareFile(path="revoked"))
        deleted = await desk.call(file.ShareFile(path="deleted"))
        await desk.call(file.Revoke(token=revoked.token))
        binned = await desk.call(file.Delete(path="deleted"))
        assert await opened(desk, expires.token) == b""
        desk.clock.time += 60
        tokens = [expires.token, revoked.token, deleted.token, "0" * 48, "ü", " "]
        problems = [await opened(desk, token) for token in tokens]
        assert {type(one) for one in problems} == {NotFound}
        assert len({str(one) for one in problems}) == 1
        with pytest.raises(NotFound):
            await desk.call(file.Revoke(token=revoked.token))
        assert [one.path for one in (await desk.call(file.Links())).links] == []
        await desk.call(file.Restore(id=binned.id))
        assert await opened(desk, deleted.token) == b""

    run(main())


def test_a_link_works_after_a_restart_and_links_are_bounded(tmp_path: Path) -> None:
    async def main() -> None:
        limits = FileLimits(links_max=3)
        desk = Desk(tmp_path, limits=limits)
        await desk.call(file.Create(path="f", data=b"one"))
        links = [await desk.call(file.ShareFile(path="f", expires_s=100 + n)) for n in range(3)]
        assert len({one.token for one in links}) == 3
        with pytest.raises(QuotaExceeded, match="revoke one"):
            await desk.call(file.ShareFile(path="f"))
        with pytest.raises(NotFound):
            await desk.call(file.ShareFile(path="f", version=7))
        later = Desk(tmp_path, desk.journal, limits=limits, clock=desk.clock, seed=9)
        await later.storage.open()
        assert await opened(later, links[2].token) == b"one"
        later.clock.time += 200
        await later.call(file.ShareFile(path="f"))

    run(main())
