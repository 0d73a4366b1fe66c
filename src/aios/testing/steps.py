"""What a client of a crash test does, step by step: every kind of durable effect, in turn.

Pure. A step follows from who makes it and its number alone, so what must be there after a crash
follows from the numbers that were acknowledged.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from aios.syscalls import Syscall, file, history, llm, memory, note, process

LARGE_BYTES = 70_000  # more than a chunk in the database may have: it becomes a blob
NOTHING = "nothing came"
TOKENS_MAX = 12


class Kind(StrEnum):
    """A kind of effect. `LOOSE` is the one without a key: asked once, whatever became of it."""

    APPEND = "append"
    SEND = "send"
    RECEIVE = "receive"
    WRITE = "write"
    NOTE = "note"
    LOOSE = "loose append"
    TURN = "turn"
    FILE = "file"
    GENERATE = "generate"
    LARGE = "large write"
    WORKER = "worker"
    END = "worker's end"  # of the step before


ALL = tuple(Kind)
WITHOUT_FILES = tuple(kind for kind in ALL if kind is not Kind.FILE)


@dataclass(frozen=True, slots=True)
class Step:
    """One call of one client."""

    client: int
    number: int
    kind: Kind

    @property
    def key(self) -> str:
        return "" if self.kind is Kind.LOOSE else f"step {self.number}"

    @property
    def text(self) -> str:
        """What it leaves, which no other step does."""
        return f"{self.client}.{self.number}"


def step(client: int, number: int, kinds: Sequence[Kind]) -> Step:
    """The step of that number; the clients begin at different kinds, none at a worker's end."""
    at = (number + client * 5) % len(kinds)
    kind = kinds[at]
    return Step(client, number, Kind.APPEND if kind is Kind.END and not number else kind)


def call_of(one: Step, friend: int, worker: int) -> Syscall[Any]:
    """The syscall. `friend` is the pid it sends to, `worker` the one whose end it waits for."""
    calls: Mapping[Kind, Callable[[], Syscall[Any]]] = {
        Kind.APPEND: lambda: memory.Append(name="log", data=_line(one)),
        Kind.SEND: lambda: process.Send(pid=friend, body=one.text),
        Kind.RECEIVE: lambda: process.Receive(timeout_s=0),
        Kind.WRITE: lambda: memory.Write(name="state", data=_line(one)),
        Kind.NOTE: lambda: note.Add(text=f"note {one.text}", tags=("crash",)),
        Kind.LOOSE: lambda: memory.Append(name="loose", data=_line(one)),
        Kind.TURN: lambda: history.Extend(name="talk", messages=(llm.Message("user", one.text),)),
        Kind.FILE: lambda: file.WriteFile(path="papers/doc", data=_line(one)),
        Kind.GENERATE: lambda: generation(one),
        Kind.LARGE: lambda: memory.Write(name="large", data=large(one)),
        Kind.WORKER: lambda: process.Spawn(
            name=f"worker-{one.number}", program="worker", argument=one.text, durable=True
        ),
        Kind.END: lambda: process.Wait(pid=worker, timeout_s=60),
    }
    return calls[one.kind]()


def fact_of(one: Step, reply: Any) -> str | int:
    """Of a reply what must be the same whenever it is told again."""
    facts: Mapping[Kind, Callable[[], str | int]] = {
        Kind.RECEIVE: lambda: str(reply.body),
        Kind.NOTE: lambda: str(reply.id),
        Kind.GENERATE: lambda: _said(reply),
        Kind.WORKER: lambda: int(reply.pid),
        Kind.END: lambda: f"{reply.state}: {reply.result}",
    }
    return facts[one.kind]() if one.kind in facts else ""


def generation(one: Step) -> llm.Generate:
    """An LLM call that no other step makes."""
    return llm.Generate(
        token_ids=(one.client + 1, one.number + 1, 7),
        decoding=llm.Decoding(max_tokens=TOKENS_MAX, seed=one.number),
    )


def large(one: Step) -> bytes:
    """Bytes that only this step writes."""
    return (_line(one) * (LARGE_BYTES // len(_line(one)) + 1))[:LARGE_BYTES]


def _line(one: Step) -> bytes:
    return f"{one.text};".encode()


def _said(reply: llm.Completion) -> str:
    choice: llm.Choice = reply.choices[0]
    return " ".join(map(str, choice.token_ids))
