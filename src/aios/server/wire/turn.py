"""What every LLM protocol's request becomes, and what answers it: the shapes the surfaces share."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from aios.errors import AiosError
from aios.server.wire.body import parsed
from aios.syscalls import Completion, Delta, Generate

Body = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What an answer is called before its first token: `stem` makes its id, `model` runs it."""

    stem: str
    created: int
    model: str

    @property
    def response(self) -> str:
        """The answer's id where it can be gone on from."""
        return f"resp_{self.stem}"


class Event(msgspec.Struct, frozen=True):
    """One server-sent event. `data` is JSON, or text that is sent as it is."""

    data: Body | str
    name: str = ""


class Streaming(Protocol):
    """Translates one stream; each method tells the events that follow."""

    def delta(self, delta: Delta) -> Iterable[Event]: ...

    def end(self, completion: Completion) -> Iterable[Event]: ...

    def broken(self, error: AiosError) -> Iterable[Event]:
        """The stream cannot go on; these are its last events."""
        ...


class Request(Protocol):
    """What the body of every surface's request names."""

    model: str
    stream: bool | None


R = TypeVar("R", bound=Request)


class Asked(Generic[R]):
    """A request for a generation, parsed."""

    def __init__(self, body: bytes, kind: type[R]) -> None:
        self._asked = parsed(body, kind)

    @property
    def model(self) -> str:
        return self._asked.model

    @property
    def is_stream(self) -> bool:
        return bool(self._asked.stream)

    @property
    def follows(self) -> str:
        """The id of the answer that it goes on from; empty where the protocol has none."""
        return ""


class Turn(Protocol):
    """One parsed request for a generation."""

    @property
    def model(self) -> str: ...

    @property
    def is_stream(self) -> bool: ...

    @property
    def follows(self) -> str: ...

    def generate(self, model: str) -> Generate: ...

    def reply(self, completion: Completion, head: Head) -> Body: ...

    def streaming(self, head: Head) -> Streaming: ...
