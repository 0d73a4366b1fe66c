"""Bounds and names of the HTTP server, frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aios.server.wire.aliases import EVERY_NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`agents` maps fixed tokens to the names of the processes that speak with them.

    `anonymous` names the process of loopback callers without a token; "" refuses them.
    """

    aliases: Mapping[str, str] = field(default_factory=lambda: EVERY_NAME)
    agents: Mapping[str, str] = field(default_factory=dict)
    anonymous: str = ""
    a2a: Mapping[str, str] = field(default_factory=dict)  # agents that take part -> what they do
    anonymous_max: int = 256  # processes that callers without a token may have by naming them
    llm_calls_max: int = 4_096  # open at once, waiting ones included
    body_bytes_max: int = 16 << 20
    head_bytes_max: int = 64 << 10
    head_s: float = 20.0  # for a connection to tell the head of its request
    body_s: float = 60.0  # for a request's body to arrive
    early_s: float = 2.0  # an error that comes sooner is told by a stream's status
    keepalive_s: float = 10.0  # between comments on a stream that has no news
    stall_s: float = 60.0  # for a reader to take what a stream has for it
    feeds_max: int = 10_000  # open event streams
    feed_events_max: int = 1_000  # not yet read on one event stream
    responses_max: int = 1_000  # stored responses of one process
    responses_bytes_max: int = 64 << 20  # of all processes together
