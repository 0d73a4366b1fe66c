"""Reads SQLite's write-ahead log as bytes: how much of it is whole, and whether what is not was.

Pure. The format is SQLite's (https://sqlite.org/fileformat2.html#walformat): a header of 32 bytes,
then frames of a 24-byte header and a page. A frame's checksum goes on from the frame's before.
"""

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from aios.journal.connection import PAGE_BYTES
from aios.journal.sums import Words, advance, weights

HEADER_BYTES, FRAME_HEADER_BYTES = 32, 24
FRAME_BYTES = FRAME_HEADER_BYTES + PAGE_BYTES
_MAGIC = 0x377F0682  # its last bit says that checksums take words as big-endian
_SALTS, _SUMS = slice(8, 16), slice(16, 24)


@dataclass(frozen=True, slots=True)
class Survey:
    """Of one log. `is_damaged`: bytes changed that had been synced, so commits are lost."""

    frames: int  # whole ones from the start
    is_damaged: bool


def survey(log: bytes) -> Survey:
    """Look at a whole log file.

    A power cut can tear the last transaction only: the one before was synced first. So where a
    chain of frames goes on behind one that does not fit, and holds the ends of two transactions,
    the first of them was synced and has changed since.
    """
    header = log[:HEADER_BYTES]
    if len(header) < HEADER_BYTES or not any(header):
        return Survey(0, False)
    order = ">" if int.from_bytes(header[:4], "big") & 1 else "<"
    if not _is_header(header, order):
        return Survey(0, True)  # A sector is written whole or not at all.
    count = (len(log) - HEADER_BYTES) // FRAME_BYTES
    if not count:
        return Survey(0, False)
    raw = np.frombuffer(log, np.uint8, count * FRAME_BYTES, HEADER_BYTES)
    frames = raw.reshape(count, FRAME_BYTES)
    parts = _parts(frames, order)
    sums = frames[:, _SUMS].copy().view(">u4").astype(np.uint32)
    before = np.concatenate(
        [np.frombuffer(header, ">u4", 2, 24).astype(np.uint32)[None], sums[:-1]]
    )
    right = _stepped(before) + parts  # what each sum should be, if the one before is right
    is_ours = (frames[:, _SALTS] == np.frombuffer(header, np.uint8, 8, 16)).all(axis=1)
    fits = (sums == right).all(axis=1)
    is_whole = fits & is_ours
    if is_whole.all():
        return Survey(count, False)
    broken = int(np.argmin(is_whole))
    if broken + 1 < count:
        # It may be the sum itself that changed; the next frame goes on from the right one.
        goes_on = _stepped(right[broken : broken + 1]) + parts[broken + 1]
        is_whole[broken + 1] |= bool((sums[broken + 1] == goes_on).all() and is_ours[broken + 1])
    behind = is_whole[broken + 1 :]
    end = count if behind.all() else broken + 1 + int(np.argmin(behind))
    is_last = frames[broken:end, 4:8].any(axis=1)  # a transaction's last frame has a size here
    return Survey(broken, end > broken + 1 and int(is_last.sum()) >= 2)


def _is_header(header: bytes, order: str) -> bool:
    words = np.frombuffer(header, f"{order}u4", 6).astype(np.uint32)
    sums = np.frombuffer(header, ">u4", 2, 24)
    is_ours = int.from_bytes(header[:4], "big") & ~1 == _MAGIC
    return is_ours and bool((_weighed(words[None])[0] == sums).all())


def _parts(frames: NDArray[np.uint8], order: str) -> Words:
    """What each frame adds to the sum that it goes on from."""
    covered = np.concatenate([frames[:, :8], frames[:, FRAME_HEADER_BYTES:]], axis=1)
    return _weighed(covered.view(f"{order}u4"))


_FRAME_WORDS = (8 + PAGE_BYTES) // 4
_WEIGHTS = {words: weights(words) for words in (6, _FRAME_WORDS)}
_STEP = advance(_FRAME_WORDS)


def _weighed(words: Words) -> Words:
    return cast(Words, words @ _WEIGHTS[words.shape[1]])


def _stepped(sums: Words) -> Words:
    """The sums a frame of zeros later."""
    return cast(Words, sums @ _STEP)
