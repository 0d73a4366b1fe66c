"""The memory family: agents' blocks, who may use them, and how large they may be.

An agent's index of blocks comes into RAM when it is first needed; bytes come and go (`cache.py`).
A block that is not there and a block of another agent that is not shared are the same error.
"""

from dataclasses import replace

from aios.errors import Denied, InvalidArgument, NotFound, QuotaExceeded
from aios.journal.base import Journal, Work
from aios.journal.statements import BLOCK_GRANT, BLOCK_REVOKE
from aios.memory.block_store import Block, BlockStore
from aios.memory.cache import Cache
from aios.memory.locks import Locks
from aios.syscalls import memory
from aios.syscalls.base import Ok

AGENT_BYTES_MAX = 4 << 30
AGENT_BLOCKS_MAX = 10_000
DEFAULT_LIMIT = memory.Alloc(name="any").limit_bytes


class BlockRoom:
    """Handlers of the memory family. `agent_bytes_max` bounds all blocks of one agent together."""

    def __init__(
        self,
        journal: Journal,
        cache: Cache,
        *,
        agent_bytes_max: int = AGENT_BYTES_MAX,
        agent_blocks_max: int = AGENT_BLOCKS_MAX,
    ) -> None:
        self._store = BlockStore(journal)
        self._cache = cache
        self._bytes_max = agent_bytes_max
        self._blocks_max = agent_blocks_max
        self._locks = Locks()
        self._indexes: dict[str, dict[str, Block]] = {}  # owner: name: as it is durable
        self._totals: dict[str, int] = {}  # owner: bytes of all blocks of its index
        self._last_id: int | None = None  # None: not asked for yet

    async def alloc(self, agent: str, call: memory.Alloc, work: Work) -> memory.BlockInfo:
        async with self._locks.of(agent):
            block = await self._own_or_new(agent, call.name)
            if block.bytes > call.limit_bytes:
                raise InvalidArgument(
                    f"limit_bytes: expected at least the {block.bytes} bytes that block "
                    f"{call.name!r} holds, got {call.limit_bytes}"
                )
            changed = replace(block, limit_bytes=call.limit_bytes)
            self._store.put(work, changed)
            return await self._commit(work, agent, changed)

    async def read(self, agent: str, call: memory.Read, work: Work) -> memory.BlockData:
        index = self._indexes.get(call.owner or agent)
        block = index.get(call.name) if index else None
        if block is not None and (block.owner == agent or agent in block.grants):
            kept = self._cache.get(block.id)
            if kept is not None:
                return _part(kept, call)
        async with self._locks.of(call.owner or agent):
            block = await self._visible(agent, call.owner or agent, call.name)
            return _part(await self._bytes(block), call)

    async def write(self, agent: str, call: memory.Write, work: Work) -> memory.BlockInfo:
        owner = call.owner or agent
        async with self._locks.of(owner):
            block = await self._changeable(agent, owner, call.name)
            self._check_room(block, len(call.data))
            changed = await self._store.replace(work, block, call.data)
            self._store.put(work, changed)
            info = await self._commit(work, agent, changed, is_kept=self._cache.fits(changed.bytes))
            self._cache.put(changed.id, call.data)
            return info

    async def append(self, agent: str, call: memory.Append, work: Work) -> memory.BlockInfo:
        owner = call.owner or agent
        async with self._locks.of(owner):
            block = await self._changeable(agent, owner, call.name)
            size = block.bytes + len(call.data)
            self._check_room(block, size)
            changed = block
            if call.data:
                changed = await self._store.append(work, block, call.data)
            self._store.put(work, changed)
            is_kept = self._cache.fits(size) and (block.id in self._cache or not block.bytes)
            info = await self._commit(work, agent, changed, is_kept=is_kept)
            if block.bytes:
                self._cache.extend(changed.id, call.data)
            else:
                self._cache.put(changed.id, call.data)
            return info

    async def clear(self, agent: str, call: memory.Clear, work: Work) -> memory.BlockInfo:
        async with self._locks.of(agent):
            block = await self._visible(agent, agent, call.name)
            changed = await self._store.replace(work, block, b"")
            self._store.put(work, changed)
            info = await self._commit(work, agent, changed, is_kept=True)
            self._cache.put(changed.id, b"")
            return info

    async def free(self, agent: str, call: memory.Free, work: Work) -> Ok:
        async with self._locks.of(agent):
            block = await self._visible(agent, agent, call.name)
            self._store.free(work, block)
            reply = Ok()
            await work.commit(reply)
            del self._indexes[agent][call.name]
            self._totals[agent] -= block.bytes
            self._cache.drop(block.id)
            return reply

    async def list(self, agent: str, call: memory.Blocks, work: Work) -> memory.BlockList:
        index = await self._index(agent)
        shared = await self._store.shared_with(agent)
        blocks = list(index.values()) if index else []
        for owner, name in shared:
            theirs = await self._index(owner)
            block = theirs.get(name) if theirs else None
            if block is not None and agent in block.grants:
                blocks.append(block)
        blocks.sort(key=lambda block: (block.owner, block.name))
        return memory.BlockList(tuple(self._info(agent, block) for block in blocks))

    async def share(self, agent: str, call: memory.Share, work: Work) -> memory.BlockInfo:
        async with self._locks.of(agent):
            block = await self._visible(agent, agent, call.name)
            if call.agent == agent:
                raise InvalidArgument("agent: expected another agent; a block is its owner's")
            grants = {name: one for name, one in block.grants.items() if name != call.agent}
            if call.access is memory.Access.NONE:
                work.add(BLOCK_REVOKE, block.id, call.agent)
            else:
                work.add(BLOCK_GRANT, block.id, call.agent, call.access.value)
                grants[call.agent] = call.access
            return await self._commit(work, agent, replace(block, grants=grants))

    def left(self, agent: str) -> None:
        """The agent's last process has ended: what it shares with nobody is first to leave RAM."""
        index = self._indexes.get(agent, {})
        self._cache.left(block.id for block in index.values() if not block.grants)

    def usage(self, owner: str) -> tuple[int, int]:
        """Bytes of an agent's blocks in RAM, and on disk alone; of one that is idle, nothing."""
        index = self._indexes.get(owner, {})
        in_ram = sum(block.bytes for block in index.values() if block.id in self._cache)
        return in_ram, self._totals.get(owner, 0) - in_ram

    @property
    def ram_bytes(self) -> int:
        """Bytes of all blocks in RAM."""
        return self._cache.bytes

    async def blobs(self) -> set[str]:
        """Every blob that some block needs; others may be swept away."""
        return await self._store.blobs()

    async def _commit(
        self, work: Work, agent: str, changed: Block, *, is_kept: bool | None = None
    ) -> memory.BlockInfo:
        """Make the change durable, then known."""
        info = self._info(agent, changed, is_kept=is_kept)
        await work.commit(info)
        index = self._indexes.setdefault(changed.owner, {})
        before = index.get(changed.name)
        total = self._totals.get(changed.owner, 0) - (before.bytes if before else 0)
        self._totals[changed.owner] = total + changed.bytes
        index[changed.name] = changed
        return info

    async def _bytes(self, block: Block) -> bytes | bytearray:
        kept = self._cache.get(block.id)
        if kept is not None:
            return kept
        data = await self._store.read(block)
        self._cache.put(block.id, data)
        return data

    async def _index(self, owner: str) -> dict[str, Block] | None:
        """The owner's blocks; nothing is kept for a name that owns none."""
        known = self._indexes.get(owner)
        if known is not None:
            return known
        found = await self._store.index(owner)
        # Another call may have brought it in meanwhile, and changed it since.
        if found and owner not in self._indexes:
            self._indexes[owner] = found
            self._totals[owner] = sum(block.bytes for block in found.values())
        return self._indexes.get(owner)

    async def _visible(self, agent: str, owner: str, name: str) -> Block:
        index = await self._index(owner)
        block = index.get(name) if index else None
        if block is None or (owner != agent and agent not in block.grants):
            raise NotFound(f"no block {name!r} of agent {owner!r}; `list` shows those there are")
        return block

    async def _changeable(self, agent: str, owner: str, name: str) -> Block:
        if owner == agent:
            return await self._own_or_new(agent, name)
        block = await self._visible(agent, owner, name)
        if block.grants[agent] is not memory.Access.WRITE:
            raise Denied(f"block {name!r} of agent {owner!r} is shared for reading; expected write")
        return block

    async def _own_or_new(self, agent: str, name: str) -> Block:
        index = await self._index(agent) or {}
        if name in index:
            return index[name]
        if len(index) >= self._blocks_max:
            raise QuotaExceeded(f"agent {agent!r} has {len(index)} blocks; no more are allowed")
        return Block(id=await self._new_id(), owner=agent, name=name, limit_bytes=DEFAULT_LIMIT)

    async def _new_id(self) -> int:
        if self._last_id is None:
            last = await self._store.last_id()
            self._last_id = max(last, self._last_id or 0)
        self._last_id += 1
        return self._last_id

    def _check_room(self, block: Block, size: int) -> None:
        if size > block.limit_bytes:
            raise QuotaExceeded(
                f"block {block.name!r} may hold {block.limit_bytes} bytes, {size} are needed; "
                "`alloc` changes its limit"
            )
        total = self._totals.get(block.owner, 0) - block.bytes + size
        if total > self._bytes_max:
            raise QuotaExceeded(
                f"the blocks of agent {block.owner!r} may hold {self._bytes_max} bytes together, "
                f"{total} are needed"
            )

    def _info(self, agent: str, block: Block, *, is_kept: bool | None = None) -> memory.BlockInfo:
        in_ram = block.id in self._cache if is_kept is None else is_kept
        is_owner = block.owner == agent
        grants = sorted(block.grants.items()) if is_owner else ()
        return memory.BlockInfo(
            owner=block.owner,
            name=block.name,
            bytes=block.bytes,
            limit_bytes=block.limit_bytes,
            tier="ram" if in_ram else "disk",
            shared=tuple(memory.Grant(name, access) for name, access in grants),
        )


def _part(data: bytes | bytearray, call: memory.Read) -> memory.BlockData:
    end = len(data) if call.length is None else call.offset + call.length
    return memory.BlockData(bytes(memoryview(data)[call.offset : end]), len(data))
