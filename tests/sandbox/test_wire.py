"""Frames arrive whole, in order and with their descriptors, however the bytes are cut."""

import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aios.sandbox.wire import FRAME_BYTES_MAX, Channel, Frame, Splitter, packed


@given(
    frames=st.lists(st.tuples(st.text(max_size=20), st.lists(st.binary(max_size=50), max_size=3))),
    cuts=st.lists(st.integers(1, 40)),
)
def test_frames_come_out_as_they_went_in(
    frames: list[tuple[str, list[bytes]]], cuts: list[int]
) -> None:
    data = b"".join(packed({"text": text}, blobs) for text, blobs in frames)
    splitter, found = Splitter(), []
    for cut in cuts:
        found += splitter.feed(data[:cut])
        data = data[cut:]
    found += splitter.feed(data)
    assert [(frame.header["text"], frame.blobs) for frame in found] == frames


def test_a_frame_that_is_too_long_is_refused_on_both_sides() -> None:
    with pytest.raises(ValueError, match="at most"):
        Splitter().feed((FRAME_BYTES_MAX + 1).to_bytes(4, "little") * 2)


def test_descriptors_arrive_with_their_frame_also_where_it_had_to_wait() -> None:
    ours, theirs = socket.socketpair()
    sender, receiver = Channel(ours), Channel(theirs)
    for number in range(4):
        sender.send({"number": number}, [bytes(300_000)], [os.open(__file__, os.O_RDONLY)])
    assert sender.has_unsent
    found: list[Frame] = []
    while len(found) < 4:
        sender.flush()
        found += receiver.receive() or []
    assert [frame.header["number"] for frame in found] == [0, 1, 2, 3]
    for frame in found:
        (fd,) = frame.fds
        assert os.path.sameopenfile(fd, fd)
        os.close(fd)
    sender.close()
    assert receiver.receive() is None
    receiver.close()


def test_what_nobody_received_is_closed() -> None:
    ours, theirs = socket.socketpair()
    sender, receiver = Channel(ours), Channel(theirs)
    read, write = os.pipe()
    sender.send({}, fds=[write])
    sender.close()
    receiver.close()
    assert os.read(read, 1) == b""
    os.close(read)
