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
from aios.sdk.caller import verb
from aios.sdk.files import Files
from aios.sdk.generation import Options, Prompt, generation
from aios.sdk.histories import HistoryClient
from aios.sdk.notes import NoteClient
from aios.sdk.programs import ProgramClient
from aios.sdk.scheduler import SchedulerClient
from aios.sdk.tool import Tool
from aios.sdk.tools import Tools
from aios.sdk.transport import Transport
from aios.syscalls import Syscall, llm, process
from aios.syscalls.kernel import Stats
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
        self.programs = ProgramClient(self)
        self.is_durable = transport.is_durable  # as `Transport` says

    cancel = verb(llm.Cancel)
    models = verb(llm.Models)
    add_model = verb(AddModel)
    remove_model = verb(RemoveModel)
    stats = verb(Stats)
    whoami = verb(process.WhoAmI)
    exit = verb(process.Exit)
    wait = verb(process.Wait)
    kill = verb(process.Kill)
    pause = verb(process.Pause)
    resume = verb(process.Resume)
    list = verb(process.List)
    inspect = verb(process.Inspect)
    calls = verb(process.Calls)
    send = verb(process.Send)
    receive = verb(process.Receive)
    attempt = verb(process.Attempt)
    report = verb(process.Report)
    now = verb(process.Now)

    @property
    def _client(self) -> "Client":
        return self

    def of(self, child: process.Spawned) -> "Client":
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
        tools: Iterable[Tool | llm.ToolSpec] = (),
        *,
        key: str = "",
        **options: Unpack[Options],
    ) -> llm.Completion:
        """An answer to a text or to messages; a convenience for `Generate`."""
        return await self.call(generation(prompt, tools, **options), key=key)

    async def stream(
        self,
        prompt: Prompt,
        tools: Iterable[Tool | llm.ToolSpec] = (),
        *,
        key: str = "",
        **options: Unpack[Options],
    ) -> AsyncGenerator[llm.Delta | llm.Completion, None]:
        """As `chat`, with deltas on the way; the last item is the completion.

        Closing the iterator early (`contextlib.aclosing`) cancels the generation.
        """
        call = llm.Stream(generate=generation(prompt, tools, **options))
        items = self._transport.stream(self._token, call, key=_checked(key))
        try:
            async for item in items:
                yield item
        finally:
            if isinstance(items, AsyncGenerator):
                await items.aclose()

    async def tokenize(
        self,
        text: str = "",
        messages: Sequence[llm.Message] = (),
        tools: Sequence[llm.ToolSpec] = (),
        model: str = "",
    ) -> llm.Tokenized:
        return await self.call(
            llm.Tokenize(text=text, messages=tuple(messages), tools=tuple(tools), model=model)
        )

    async def embed(self, texts: Sequence[str]) -> llm.Embeddings:
        return await self.call(llm.Embed(texts=tuple(texts)))

    async def spawn(
        self,
        name: str,
        program: str | None = None,
        argument: Any = None,
        priority: int = 0,
        durable: bool | None = None,
        groups: Sequence[str] | None = None,
    ) -> process.Spawned:
        call = process.Spawn(
            name=name, program=program, argument=argument, priority=priority, durable=durable
        )
        if groups is not None:
            call = msgspec.structs.replace(call, groups=tuple(groups))
        return await self.call(call)


def _checked(key: str) -> str:
    """A key that every transport can carry."""
    if not isinstance(key, str) or not key.isprintable():
        raise InvalidArgument(f"expected a key of printable text, got {key!r}")
    return key
