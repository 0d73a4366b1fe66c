"""Which chunks of a block an append joins to one. Pure; knows no block and no disk.

Chunks are of classes, each `JOINED` times as large as the one before. An append looks at the newest
chunks of its own class and below; when it makes them `JOINED`, they are joined, and the result is
looked at in the same way. Each join at least adds the smallest size of its class to a chunk, which
so leaves the class soon: a byte is written again O(log n) times in all, and there are fewer than
`JOINED` chunks of a class. Chunks from `FULL_BYTES` on are left alone, which bounds what one append
may cost and is the price of a row for each such piece of a large block.
"""

from collections.abc import Sequence

JOINED = 8
FULL_BYTES = 1 << 21
TAIL_MAX = 64  # the newest chunks that can matter: there are eight classes below `FULL_BYTES`


def joined(sizes: Sequence[int], added: int) -> int:
    """How many of the newest chunks, whose sizes these are in order, go together with the new."""
    taken = count = 0
    while added < FULL_BYTES:
        while count < len(sizes) and _class(sizes[-1 - count]) <= _class(added):
            count += 1
        if count - taken + 1 < JOINED:
            break
        added += sum(sizes[len(sizes) - count : len(sizes) - taken])
        taken = count
    return taken


def _class(size: int) -> int:
    return (max(size, 1).bit_length() - 1) // 3
