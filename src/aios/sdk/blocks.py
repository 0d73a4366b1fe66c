"""`client.memory`: an agent's blocks of working memory. A method is named after its verb."""

from aios.sdk.caller import Family, verb
from aios.syscalls import memory


class BlockClient(Family):
    """The memory family over one client. Text stands for its UTF-8 bytes."""

    alloc = verb(memory.Alloc)
    read = verb(memory.Read)
    clear = verb(memory.Clear)
    free = verb(memory.Free)
    list = verb(memory.Blocks)
    share = verb(memory.Share)

    async def text(self, name: str, owner: str = "") -> str:
        """The whole block as text; a convenience for `read`."""
        return (await self.read(name, owner)).data.decode()

    async def write(
        self, name: str, data: bytes | str, owner: str = "", key: str = ""
    ) -> memory.BlockInfo:
        call = memory.Write(name=name, data=as_bytes(data), owner=owner)
        return await self._client.call(call, key=key)

    async def append(
        self, name: str, data: bytes | str, owner: str = "", key: str = ""
    ) -> memory.BlockInfo:
        call = memory.Append(name=name, data=as_bytes(data), owner=owner)
        return await self._client.call(call, key=key)


def as_bytes(data: bytes | str) -> bytes:
    """A text as UTF-8; bytes as they are."""
    return data.encode() if isinstance(data, str) else data
