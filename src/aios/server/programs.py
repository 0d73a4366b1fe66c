"""Which calls belong together: one program is one piece of work, whatever process it speaks by.

A client may name it; else calls of one trace, answers to one another, and a conversation that goes
on where an earlier call of the same process tree stopped are one. Guessing wrong costs a worse
turn, never a wrong answer. Pure; what it remembers is bounded.

A conversation is known by a hash at each of its turns. A call leaves the hash of all that it said;
one that says this and more has it among its own. Only whole calls are remembered, so that a system
prompt which many conversations share makes none of them another's.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import xxhash

from aios.server.shares import Shares
from aios.syscalls import Generate

PIECE = 256  # characters of a prompt without turns, or token ids of one, that are told apart
SIGNALS_MAX = 65_536
OF_ONE_MAX = 16_384
_TRACE = re.compile(r"[0-9a-f]{2}-(?P<id>[0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")
_NO_TRACE = "0" * 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What a request says of where it belongs; empty where it says nothing."""

    name: str = ""
    trace: str = ""  # as in `traceparent`
    follows: str = ""  # id of the answer that it goes on from
    answer: str = ""  # id of its own answer


class Programs:
    """Names of programs by what was seen of them."""

    def __init__(self, *, most: int = SIGNALS_MAX, of_one: int = OF_ONE_MAX) -> None:
        self._seen: Shares[str, str] = Shares(most=most, of_one=of_one)

    def __len__(self) -> int:
        return len(self._seen)

    def recognised(self, owner: int, hints: Hints, call: Generate) -> str:
        """The program that a call belongs to; `owner` is the process tree that it comes from."""
        turns = list(_turns(call))
        trace = trace_of(hints.trace)
        said = [f"trace {trace}"] if trace else []
        said += [f"answer {hints.follows}"] if hints.follows else []
        known = (self._seen.find(owner, one) for one in (*said, *reversed(turns)))
        name = hints.name or next((one for one in known if one), "") or trace or turns[-1]
        said += [f"answer {hints.answer}"] if hints.answer else []
        for one in (*said, turns[-1]):
            self._seen.keep(owner, one, name)
        return name


def trace_of(header: str) -> str:
    """The trace's id in a W3C `traceparent`; empty where that is none."""
    found = _TRACE.fullmatch(header)
    id = found["id"] if found else ""
    return "" if id == _NO_TRACE else id


def _turns(call: Generate) -> Iterator[str]:
    """A hash of all up to each turn; at least one."""
    seen = xxhash.xxh3_128()
    for piece in _pieces(call):
        seen.update(piece)
        yield f"talk {seen.hexdigest()}"


def _pieces(call: Generate) -> Iterator[bytes]:
    if call.messages:
        yield from map(msgspec.msgpack.encode, call.messages)
        return
    whole = call.prompt or call.token_ids
    for at in range(0, max(1, len(whole) - len(whole) % PIECE), PIECE):
        yield msgspec.msgpack.encode(whole[at : at + PIECE])
