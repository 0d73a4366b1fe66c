"""Every byte of an image is covered: whatever is changed is noticed."""

import msgspec
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from aios.context.image import ALIGNMENT, PREFIX, layout, seal, unseal
from aios.context.snapshot import Snapshot
from aios.errors import Damaged
from tests.context.snapshots import bytes_of, snapshot_of

KV = bytes_of(1000)


def image_of(snapshot: Snapshot, kv: bytes) -> bytearray:
    plan = layout(snapshot)
    image = bytearray(plan.total_bytes)
    image[plan.kv_offset :] = kv
    seal(memoryview(image), snapshot)
    return image


@settings(deadline=None)
@given(state=st.binary(max_size=300), kv=st.binary(max_size=300), name=st.text(max_size=100))
def test_what_was_sealed_is_unsealed(state: bytes, kv: bytes, name: str) -> None:
    snapshot = snapshot_of(len(kv), name, state)
    image = image_of(snapshot, kv)

    found, found_kv = unseal(memoryview(image), len(image), "here")

    assert bytes(found_kv) == kv
    assert msgspec.structs.replace(found, kv_checksum=0) == snapshot
    assert layout(snapshot).kv_offset % ALIGNMENT == 0


@settings(deadline=None)
@given(data=st.data())
def test_any_flipped_bit_is_noticed(data: st.DataObject) -> None:
    image = image_of(snapshot_of(len(KV)), KV)
    bit = data.draw(st.integers(0, len(image) * 8 - 1))
    image[bit // 8] ^= 1 << bit % 8

    with pytest.raises(Damaged):
        unseal(memoryview(image), len(image), "here")


def test_every_byte_of_a_small_image_is_covered() -> None:
    good = image_of(snapshot_of(64), bytes_of(64))
    for place in range(len(good)):
        image = bytearray(good)
        image[place] ^= 0x80
        with pytest.raises(Damaged):
            unseal(memoryview(image), len(image), "here")


@settings(deadline=None)
@given(cut=st.integers(0, len(KV) + 300))
def test_a_shortened_image_is_noticed(cut: int) -> None:
    image = image_of(snapshot_of(len(KV)), KV)
    short = image[: min(cut, len(image) - 1)]

    with pytest.raises(Damaged):
        unseal(memoryview(short), len(image), "here")
    with pytest.raises(Damaged):
        unseal(memoryview(short), len(short), "here")


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_foreign_bytes_are_damaged_not_a_crash(data: bytes) -> None:
    with pytest.raises(Damaged):
        unseal(memoryview(data), len(data), "here")


@settings(deadline=None)
@given(
    header=st.one_of(
        st.binary(max_size=100),
        st.just(msgspec.msgpack.encode(snapshot_of(0)).replace(b"generation", b"gen\xff\xfftion")),
        st.builds(
            lambda kv, tokens: msgspec.msgpack.encode(
                msgspec.structs.replace(snapshot_of(0), kv_bytes=kv, tokens=tokens)
            ),
            st.integers(-(2**63), 2**64 - 1),
            st.integers(-(2**63), 2**64 - 1),
        ),
    ),
    length=st.one_of(st.none(), st.integers(0, 2**32 - 1)),
)
def test_lengths_in_a_well_signed_foreign_header_are_not_trusted(
    header: bytes, length: int | None
) -> None:
    stated = len(header) if length is None else length
    front = PREFIX.pack(b"AIOSSNAP", 1, stated, 0)[:-8]
    body = header.ljust(-(-(PREFIX.size + len(header)) // 64) * 64 - PREFIX.size, b"\0")
    image = front + xxhash.xxh3_64_intdigest(front + body).to_bytes(8, "little") + body

    with pytest.raises(Damaged):
        unseal(memoryview(image), len(image), "here")


def test_the_message_says_what_is_wrong_and_where() -> None:
    image = image_of(snapshot_of(len(KV)), KV)
    image[-1] ^= 1
    with pytest.raises(Damaged, match="here: the KV's checksum"):
        unseal(memoryview(image), len(image), "here")
    image[8] ^= 2
    with pytest.raises(Damaged, match="expected snapshot version 1, got 3"):
        unseal(memoryview(image), len(image), "here")
    image[0] ^= 1
    with pytest.raises(Damaged, match="not a snapshot"):
        unseal(memoryview(image), len(image), "here")
