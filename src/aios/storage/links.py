"""Links: whoever holds a token reads one file, until the link expires or is revoked.

A token is looked up by its hash, so how long that takes tells nothing about tokens that exist, and
a link that expired, was revoked, or never was, or whose file is gone, gives the same error.
"""

from hashlib import sha256
from hmac import compare_digest
from typing import cast

from aios.errors import NotFound, QuotaExceeded
from aios.journal import statements as sql
from aios.journal.base import Row, Work
from aios.storage.paths import parse_file
from aios.storage.reading import Reading
from aios.storage.shop import Shop
from aios.storage.versions import numbered
from aios.syscalls.base import Ok
from aios.syscalls.file import FileData, FileLink, LinkList, OpenLink, ReadFile, Revoke, ShareFile
from aios.syscalls.file import Links as ListLinks

TOKEN_BITS = 192


class Links:
    """Keeps nothing in RAM: a link works exactly as long as the journal has it."""

    def __init__(self, shop: Shop, reading: Reading) -> None:
        self._shop = shop
        self._reading = reading

    async def share(self, agent: str, call: ShareFile, work: Work) -> FileLink:
        node = await self._reading.file(agent, parse_file(call.path))
        if call.version is not None:
            numbered(await self._shop.catalog.versions(node.id), call.version)
        now = self._shop.clock.utc()
        live = await self._shop.journal.read(sql.FILE_LINKS_OF, agent, now)
        if len(live) >= self._shop.limits.links_max:
            raise QuotaExceeded(f"{len(live)} links work already; revoke one first")
        token = f"{self._shop.random.getrandbits(TOKEN_BITS):0{TOKEN_BITS // 4}x}"
        expires = now + call.expires_s
        work.add(sql.FILE_LINKS_DROP, agent, now)
        work.add(sql.FILE_LINK_PUT, _key(token), token, agent, node.id, expires, call.version)
        link = FileLink(token, node.path, expires, call.version)
        await work.commit(link)
        return link

    async def list(self, agent: str, call: ListLinks, work: Work) -> LinkList:
        rows = await self._shop.journal.read(sql.FILE_LINKS_OF, agent, self._shop.clock.utc())
        nodes = await self._shop.catalog.by_id({str(row[2]) for row in rows})
        return LinkList(tuple(
            FileLink(
                str(token), nodes[str(file)][1].path, cast(float, expires),
                cast(int | None, version),
            )
            for token, _, file, expires, version in rows
            if str(file) in nodes
        ))  # fmt: skip

    async def revoke(self, agent: str, call: Revoke, work: Work) -> Ok:
        row = await self._row(call.token)
        if row[1] != agent:
            raise _no_link()
        work.add(sql.FILE_LINK_DROP, _key(call.token))
        await work.commit(Ok())
        return Ok()

    async def open(self, agent: str, call: OpenLink, work: Work) -> FileData:
        _, owner, file, _, version = await self._row(call.token)
        try:
            _, node = (await self._shop.catalog.by_id([str(file)]))[str(file)]
            node = await self._reading.file(str(owner), node.path)
            if node.id != file:
                raise _no_link()
            bound = cast(int | None, version)
            work.meant = ReadFile(path=node.path, version=bound, owner=str(owner))
            return await self._reading.data(node, bound)
        except (KeyError, NotFound):
            raise _no_link() from None

    async def _row(self, token: str) -> Row:
        rows = await self._shop.journal.read(sql.FILE_LINK_GET, _key(token))
        if not rows or not compare_digest(str(rows[0][0]).encode(), token.encode()):
            raise _no_link()
        if cast(float, rows[0][3]) <= self._shop.clock.utc():
            raise _no_link()
        return rows[0]


def _key(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _no_link() -> NotFound:
    return NotFound("no such link; expected the token of one that is not expired or revoked")
