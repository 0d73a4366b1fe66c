"""The memory family: an agent's blocks of working memory, and who else may use them. Pure data.

A block belongs to an agent, not to a process: the next process of the same agent finds it again.
`owner` names another agent whose block is meant, shared or by a right to it; empty means the
caller's own.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from aios.syscalls.base import Ok, Syscall

BLOCK_BYTES_MAX = 1 << 30
Name = Annotated[str, Meta(min_length=1, max_length=128)]
AgentName = Annotated[str, Meta(max_length=512)]  # "travel", or "travel/flights" for its child
Count = Annotated[int, Meta(ge=0)]


class Access(StrEnum):
    """What another agent may do with a shared thing; NONE takes a grant back."""

    NONE = "none"
    READ = "read"
    WRITE = "write"


class Alloc(Syscall["BlockInfo"], frozen=True, tag="memory.alloc"):
    """Make an empty block, or change the limit of one that is there; its bytes stay."""

    name: Name
    limit_bytes: Annotated[int, Meta(ge=1, le=BLOCK_BYTES_MAX)] = 1 << 20
    owner: AgentName = ""


class Read(Syscall["BlockData"], frozen=True, tag="memory.read"):
    """The bytes of a block, from RAM or brought back from disk; the same bytes in any case."""

    name: Name
    owner: AgentName = ""
    offset: Count = 0
    length: Count | None = None  # None: to the end


class Write(Syscall["BlockInfo"], frozen=True, tag="memory.write"):
    """Replace the whole block. A block that is not there yet is made with the default limit."""

    name: Name
    data: bytes
    owner: AgentName = ""


class Append(Syscall["BlockInfo"], frozen=True, tag="memory.append"):
    """Add bytes at the block's end; costs O(new bytes). Makes the block where it is not there."""

    name: Name
    data: bytes
    owner: AgentName = ""


class Clear(Syscall["BlockInfo"], frozen=True, tag="memory.clear"):
    """Make the block empty; its limit and grants stay."""

    name: Name
    owner: AgentName = ""


class Free(Syscall[Ok], frozen=True, tag="memory.free"):
    """Remove the block and every grant on it."""

    name: Name
    owner: AgentName = ""


class Blocks(Syscall["BlockList"], frozen=True, tag="memory.list"):
    """The caller's own blocks and those shared with it, by owner and name."""


class Share(Syscall["BlockInfo"], frozen=True, tag="memory.share"):
    """Let one named agent read or write a block, or take that back with `none`."""

    name: Name
    agent: Annotated[str, Meta(min_length=1, max_length=512)]
    access: Access = Access.READ
    owner: AgentName = ""


class Grant(msgspec.Struct, frozen=True):
    """One agent's right on a shared thing."""

    agent: str
    access: Access


class BlockInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A block as `list` shows it. `tier` is "ram" or "disk"; `shared` is the owner's to see."""

    owner: str
    name: str
    bytes: int
    limit_bytes: int
    tier: str
    shared: tuple[Grant, ...] = ()


class BlockData(msgspec.Struct, frozen=True):
    """Bytes of a block from `offset` on, and how many it has in all."""

    data: bytes
    total_bytes: int


class BlockList(msgspec.Struct, frozen=True):
    """Blocks in order of owner and name."""

    blocks: tuple[BlockInfo, ...]
