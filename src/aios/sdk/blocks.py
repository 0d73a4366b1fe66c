"""`client.memory`: an agent's blocks of working memory. A method is named after its verb."""

from aios.sdk.caller import Caller
from aios.syscalls.base import Ok
from aios.syscalls.memory import (
    Access,
    Alloc,
    Append,
    BlockData,
    BlockInfo,
    BlockList,
    Blocks,
    Clear,
    Free,
    Read,
    Share,
    Write,
)


class BlockClient:
    """The memory family over one client. Text stands for its UTF-8 bytes."""

    def __init__(self, client: Caller) -> None:
        self._client = client

    async def alloc(self, name: str, limit_bytes: int = 1 << 20, owner: str = "") -> BlockInfo:
        return await self._client.call(Alloc(name=name, limit_bytes=limit_bytes, owner=owner))

    async def read(
        self, name: str, owner: str = "", offset: int = 0, length: int | None = None
    ) -> BlockData:
        return await self._client.call(Read(name=name, owner=owner, offset=offset, length=length))

    async def text(self, name: str, owner: str = "") -> str:
        """The whole block as text; a convenience for `read`."""
        return (await self.read(name, owner)).data.decode()

    async def write(
        self, name: str, data: bytes | str, owner: str = "", key: str = ""
    ) -> BlockInfo:
        return await self._client.call(Write(name=name, data=_bytes(data), owner=owner), key=key)

    async def append(
        self, name: str, data: bytes | str, owner: str = "", key: str = ""
    ) -> BlockInfo:
        return await self._client.call(Append(name=name, data=_bytes(data), owner=owner), key=key)

    async def clear(self, name: str, owner: str = "") -> BlockInfo:
        return await self._client.call(Clear(name=name, owner=owner))

    async def free(self, name: str, owner: str = "") -> Ok:
        return await self._client.call(Free(name=name, owner=owner))

    async def list(self) -> BlockList:
        return await self._client.call(Blocks())

    async def share(
        self, name: str, agent: str, access: Access = Access.READ, owner: str = ""
    ) -> BlockInfo:
        return await self._client.call(Share(name=name, agent=agent, access=access, owner=owner))


def _bytes(data: bytes | str) -> bytes:
    return data.encode() if isinstance(data, str) else data
