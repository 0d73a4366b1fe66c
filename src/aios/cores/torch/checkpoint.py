"""A generation's snapshot: its token ids and its KV blocks, out of the pool and into it again.

Blocks that branches share are stored once and shared again. Text, grammar and draws follow from
token ids. Knows no tier: the KV is copied to and from memory that somebody else provides.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
import torch

from aios.context.snapshot import Snapshot
from aios.cores.torch.beam import BeamTree
from aios.cores.torch.pool import Pool
from aios.cores.torch.sequence import Group
from aios.cores.torch.settings import BLOCK_TOKENS
from aios.errors import Damaged
from aios.syscalls.llm import Delta, FinishReason, TokenLogprob

Ints = npt.NDArray[np.int64]


class BranchState(msgspec.Struct, frozen=True, kw_only=True):
    """`blocks` are numbers of blocks in the snapshot; None where the branch held no row."""

    produced: tuple[int, ...]
    length: int
    blocks: tuple[int, ...] | None
    finish: FinishReason | None
    logprobs: tuple[TokenLogprob, ...]


class GroupState(msgspec.Struct, frozen=True, kw_only=True):
    """What the header of a snapshot holds of a generation."""

    prompt: tuple[int, ...]
    computed: int
    cached: int
    recomputed: str
    branches: tuple[BranchState, ...]
    tree: BeamTree | None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(GroupState).decode


def describe(group: Group, pool: Pool, fingerprint: str) -> tuple[Snapshot, Ints]:
    """The header of the group's snapshot, and the pool's blocks that its KV consists of."""
    blocks = pool.held(group.rows)
    branches = tuple(
        BranchState(
            produced=tuple(branch.produced),
            length=branch.length,
            blocks=None
            if branch.row is None
            else tuple(np.searchsorted(blocks, pool.blocks(branch.row)).tolist()),
            finish=branch.finish,
            logprobs=tuple(branch.logprobs),
        )
        for branch in group.branches
    )
    state = GroupState(
        prompt=group.prompt,
        computed=group.computed,
        cached=group.cached,
        recomputed=group.recomputed,
        branches=branches,
        tree=group.tree,
    )
    snapshot = Snapshot(
        generation=group.id,
        fingerprint=fingerprint,
        state=_encode(state),
        kv_bytes=len(blocks) * pool.shape.block_bytes,
        kv_checksum=0,
        tokens=len(blocks) * BLOCK_TOKENS,
    )
    return snapshot, blocks


def read(snapshot: Snapshot, group: Group, fingerprint: str) -> GroupState:
    """The state in a snapshot of this engine and of that generation, or `Damaged`."""
    if snapshot.fingerprint != fingerprint:
        raise Damaged(
            f"snapshot of another engine: expected fingerprint {fingerprint}, "
            f"got {snapshot.fingerprint}"
        )
    try:
        state = _decode(snapshot.state)
    except msgspec.DecodeError as problem:
        raise Damaged(f"snapshot of another version: {problem}") from None
    if state.prompt != group.prompt or len(state.branches) != len(group.branches):
        raise Damaged(f"snapshot of another generation than {group.id!r}")
    return state


def told(
    group: Group, state: GroupState, delivered: Sequence[tuple[int, ...]]
) -> tuple[Delta, ...]:
    """Tell the group every token that is known of it; deltas of those never delivered."""
    fresh = []
    for place, (branch, old) in enumerate(zip(group.branches, state.branches, strict=True)):
        if group.tree:
            branch.produced = list(old.produced)
            if branch.grammar:
                branch.grammar.replay(old.produced)
            continue
        out = delivered[place] if place < len(delivered) else ()
        common = min(len(out), len(old.produced))
        if out[:common] != old.produced[:common]:
            raise Damaged(f"snapshot of {group.id!r} holds other tokens than were delivered")
        group.tell(branch, out)
        rest = old.produced[common:]
        if rest:
            text = group.tell(branch, rest)
            scores = old.logprobs[common:]
            fresh.append(Delta(index=place, text=text, token_ids=rest, logprobs=scores))
    return tuple(fresh)


def copy_out(pool: Pool, blocks: Ints, to: memoryview) -> None:
    """Gather blocks into `to`, layer by layer."""
    if not len(blocks):
        return
    target = torch.frombuffer(to, dtype=pool.shape.dtype).view(len(pool.kv), len(blocks), -1)
    index = torch.from_numpy(blocks).to(pool.kv.device)
    if pool.kv.device.type == "cpu":
        torch.index_select(pool.by_block, 1, index, out=target)
        return
    # A plane at a time: a device with no room left must still be able to give KV up. A copy to
    # memory that is not pinned has arrived when it returns, so it may be summed at once.
    for plane, there in zip(target, pool.by_block, strict=True):
        plane.copy_(there.index_select(0, index))


def copy_in(pool: Pool, blocks: Ints, wanted: npt.NDArray[np.bool_], kv: memoryview) -> None:
    """Scatter what `copy_out` gathered into the pool's `blocks`, where `wanted`."""
    if not wanted.any():
        return
    source = np.frombuffer(kv, dtype=np.uint8).reshape(len(pool.kv), len(wanted), -1)
    if not wanted.all():
        source = source[:, wanted]
    if pool.kv.device.type == "cpu":
        # NumPy scatters whole blocks of bytes five times faster than index_copy_ does.
        pool.by_block.view(torch.uint8).numpy()[:, blocks[wanted]] = source
        return
    index = torch.from_numpy(blocks[wanted]).to(pool.kv.device)
    for plane, there in zip(source, pool.by_block, strict=True):
        content = torch.from_numpy(plane.copy()).to(pool.kv.device).view(pool.shape.dtype)
        there.index_copy_(0, index, content)


def adopt(group: Group, state: GroupState, pool: Pool, kv: memoryview) -> None:
    """Make the group what `state` says, in new blocks; the caller saw to room for all of them.

    Blocks of the prompt that the prefix cache has are shared instead: they hold the same bits.
    """
    count = len(kv) // pool.shape.block_bytes
    tables = [np.array(b.blocks or (), dtype=np.int64) for b in state.branches]
    if any(len(table) and int(table.max()) >= count for table in tables):
        raise Damaged("snapshot's tables name blocks that it does not hold")
    longest = max(tables, key=len)
    cached = pool.cache.find(group.prompt[: state.computed])[: len(longest)]
    guard = pool.open()
    pool.append(guard, cached)  # Taking blocks must not give these up.
    new = np.zeros(count, dtype=np.int64)
    new[longest[: len(cached)]] = cached
    wanted = new == 0
    new[wanted] = pool.take(int(wanted.sum()))
    copy_in(pool, new, wanted, kv)
    for branch, old, table in zip(group.branches, state.branches, tables, strict=True):
        branch.length = old.length
        branch.logprobs = list(old.logprobs)
        if old.blocks is not None:
            branch.row = pool.open()
            pool.append(branch.row, new[table])
    pool.give(new[wanted])
    pool.close(guard)
    group.computed, group.cached, group.recomputed = state.computed, state.cached, state.recomputed
    group.tree = state.tree
    if group.rows:
        pool.cache.keep(group.prompt[: state.computed], pool.blocks(group.rows[0]))
