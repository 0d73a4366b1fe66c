"""Conversations as chains of nodes: each names its parent and its message by hash. Pure.

Equal prefixes are equal nodes, so what conversations share is stored once. Besides its parent a
node knows one far ancestor, its jump (Myers' skew-binary lists): where the two latest jumps span
the same distance, the next node jumps over both. Any ancestor is O(log length) steps away.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise

import msgspec

from aios.syscalls.llm import Message

START = b""  # stands for the node before the first


@dataclass(frozen=True, slots=True)
class Place:
    """A node and how many messages lead to it."""

    hash: bytes
    depth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One message of a conversation, after all that came before it."""

    hash: bytes
    parent: bytes
    depth: int
    jump: Place
    message: bytes  # its hash


def encoded(message: Message) -> bytes:
    """The bytes that a message is known by."""
    return msgspec.msgpack.encode(message)


def decoded(data: bytes) -> Message:
    """The message of these bytes."""
    return msgspec.msgpack.decode(data, type=Message)


def digest(data: bytes) -> bytes:
    return sha256(data).digest()


def grown(spine: Sequence[Place], messages: Sequence[bytes]) -> list[Node]:
    """Nodes for messages (their hashes) behind the first place of `spine`.

    The spine is a node and where its jumps lead, one after another, down to the start.
    """
    places = list(spine)
    assert all(below.depth < above.depth for above, below in pairwise(places))
    nodes = []
    for message in messages:
        parent = places[0]
        is_even = len(places) > 2 and (
            parent.depth - places[1].depth == places[1].depth - places[2].depth
        )
        if is_even:
            del places[:2]
        jump = places[0]
        node = Node(
            hash=digest(parent.hash + message),
            parent=parent.hash,
            depth=parent.depth + 1,
            jump=jump,
            message=message,
        )
        nodes.append(node)
        places.insert(0, Place(node.hash, node.depth))
    return nodes
