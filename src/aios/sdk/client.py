"""A process's way to speak to its kernel: `call` takes any syscall, the rest only build one.

Knows syscalls and a transport. A method is named after its syscall's verb and takes its fields.
Time limits are the caller's: `asyncio.timeout` around an await cancels the call in the kernel too.
"""

from collections.abc import AsyncGenerator, Iterable, Sequence
from typing import Any, TypeVar, Unpack

import msgspec

from aios.errors import InvalidArgument
from aios.sdk.access import AccessClient
from aios.sdk.approvals import ApprovalClient
from aios.sdk.audit import AuditClient
from aios.sdk.blocks import BlockClient
from aios.sdk.budgets import BudgetClient
from aios.sdk.files import Files
from aios.sdk.generation import Options, Prompt, generation
from aios.sdk.histories import HistoryClient
from aios.sdk.notes import NoteClient
from aios.sdk.scheduler import SchedulerClient
from aios.sdk.tool import Tool
from aios.sdk.tools import Tools
from aios.sdk.transport import Transport
from aios.syscalls import (
    Attempt,
    Attempted,
    CallList,
    Calls,
    Cancel,
    Completion,
    Delta,
    Embed,
    Embeddings,
    Exit,
    Exited,
    Inspect,
    Kill,
    List,
    Mail,
    Message,
    ModelInfo,
    ModelList,
    Models,
    Moment,
    Now,
    Ok,
    Pause,
    Pid,
    ProcessInfo,
    ProcessList,
    Receive,
    Report,
    Resume,
    Send,
    Spawn,
    Spawned,
    Stream,
    Syscall,
    Tokenize,
    Tokenized,
    ToolSpec,
    Wait,
    WhoAmI,
)
from aios.syscalls.kernel import MachineStats, Stats
from aios.syscalls.model import AddModel, RemoveModel

R = TypeVar("R")


class Client:
    """One process's syscalls over one transport."""

    def __init__(self, transport: Transport, token: str) -> None:
        self._transport = transport
        self._token = token
        self.memory = BlockClient(self)
        self.history = HistoryClient(self)
        self.notes = NoteClient(self)
        self.files = Files(self)
        self.access = AccessClient(self)
        self.approvals = ApprovalClient(self)
        self.budgets = BudgetClient(self)
        self.audit = AuditClient(self)
        self.tools = Tools(self)
        self.scheduler = SchedulerClient(self)
        self.is_durable = transport.is_durable  # as `Transport` says

    def of(self, child: Spawned) -> "Client":
        """A client that speaks as `child`."""
        return Client(self._transport, child.token)

    async def call(self, call: Syscall[R], *, key: str = "") -> R:
        """Any syscall: its reply, typed, or one error of `aios.errors`.

        With a `key` it is made once, however often it is asked for: after a crash too.
        """
        return await self._transport.call(self._token, call, key=_checked(key))

    async def chat(
        self,
        prompt: Prompt,
        tools: Iterable[Tool | ToolSpec] = (),
        *,
        key: str = "",
        **options: Unpack[Options],
    ) -> Completion:
        """An answer to a text or to messages; a convenience for `Generate`."""
        return await self.call(generation(prompt, tools, **options), key=key)

    async def stream(
        self,
        prompt: Prompt,
        tools: Iterable[Tool | ToolSpec] = (),
        *,
        key: str = "",
        **options: Unpack[Options],
    ) -> AsyncGenerator[Delta | Completion, None]:
        """As `chat`, with deltas on the way; the last item is the completion.

        Closing the iterator early (`contextlib.aclosing`) cancels the generation.
        """
        call = Stream(generate=generation(prompt, tools, **options))
        items = self._transport.stream(self._token, call, key=_checked(key))
        try:
            async for item in items:
                yield item
        finally:
            if isinstance(items, AsyncGenerator):
                await items.aclose()

    async def cancel(self, call_id: str) -> Ok:
        return await self.call(Cancel(call_id=call_id))

    async def tokenize(
        self,
        text: str = "",
        messages: Sequence[Message] = (),
        tools: Sequence[ToolSpec] = (),
        model: str = "",
    ) -> Tokenized:
        return await self.call(
            Tokenize(text=text, messages=tuple(messages), tools=tuple(tools), model=model)
        )

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        return await self.call(Embed(texts=tuple(texts)))

    async def models(self) -> ModelList:
        return await self.call(Models())

    async def add_model(self, source: str, name: str = "", device: str = "") -> ModelInfo:
        return await self.call(AddModel(source=source, name=name, device=device))

    async def remove_model(self, name: str) -> Ok:
        return await self.call(RemoveModel(name=name))

    async def stats(self, agents: bool = True) -> MachineStats:
        return await self.call(Stats(agents=agents))

    async def attempt(self, tool: str, arguments: str) -> Attempted:
        return await self.call(Attempt(tool=tool, arguments=arguments))

    async def report(self, attempt: int, result: str) -> Ok:
        return await self.call(Report(attempt=attempt, result=result))

    async def now(self) -> Moment:
        return await self.call(Now())

    async def whoami(self) -> ProcessInfo:
        return await self.call(WhoAmI())

    async def spawn(
        self,
        name: str,
        program: str | None = None,
        argument: Any = None,
        priority: int = 0,
        durable: bool | None = None,
        groups: Sequence[str] | None = None,
    ) -> Spawned:
        call = Spawn(
            name=name, program=program, argument=argument, priority=priority, durable=durable
        )
        if groups is not None:
            call = msgspec.structs.replace(call, groups=tuple(groups))
        return await self.call(call)

    async def exit(self, result: Any = None) -> Ok:
        return await self.call(Exit(result=result))

    async def wait(self, pid: Pid, timeout_s: float | None = None) -> Exited:
        return await self.call(Wait(pid=pid, timeout_s=timeout_s))

    async def kill(self, pid: Pid) -> Ok:
        return await self.call(Kill(pid=pid))

    async def pause(self, pid: Pid) -> Ok:
        return await self.call(Pause(pid=pid))

    async def resume(self, pid: Pid) -> Ok:
        return await self.call(Resume(pid=pid))

    async def list(self, ended: bool = False) -> ProcessList:
        return await self.call(List(ended=ended))

    async def inspect(self, pid: Pid) -> ProcessInfo:
        return await self.call(Inspect(pid=pid))

    async def calls(self, pid: Pid) -> CallList:
        return await self.call(Calls(pid=pid))

    async def send(self, pid: Pid, body: Any) -> Ok:
        return await self.call(Send(pid=pid, body=body))

    async def receive(self, timeout_s: float | None = None) -> Mail:
        return await self.call(Receive(timeout_s=timeout_s))


def _checked(key: str) -> str:
    """A key that every transport can carry."""
    if not isinstance(key, str) or not key.isprintable():
        raise InvalidArgument(f"expected a key of printable text, got {key!r}")
    return key
