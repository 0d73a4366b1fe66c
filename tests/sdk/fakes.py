"""A kernel small enough to read: processes, mailboxes, and a model that reads from a script."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from aios.errors import Denied
from aios.syscalls import (
    Choice,
    Completion,
    Delta,
    Exit,
    Exited,
    Generate,
    Mail,
    Message,
    ModelList,
    Models,
    Ok,
    ProcessInfo,
    ProcessState,
    Receive,
    Send,
    Spawn,
    Spawned,
    Stream,
    Syscall,
    ToolCall,
    Usage,
    Wait,
    WhoAmI,
)
from aios.syscalls.codec import checked
from aios.syscalls.llm import Timing

Line = str | Message


def calls(name: str, arguments: str, thought: str | None = None) -> Message:
    """A model's message that calls one tool."""
    call = ToolCall(id=f"{name}-1", name=name, arguments=arguments)
    return Message(role="assistant", content=thought, tool_calls=(call,))


def completion(line: Line, finish_reason: str = "stop") -> Completion:
    """A reply that says `line`."""
    message = Message(role="assistant", content=line) if isinstance(line, str) else line
    reason: Any = "tool_calls" if message.tool_calls else finish_reason
    return Completion(
        call_id="1",
        model="script",
        choices=(Choice(index=0, message=message, finish_reason=reason, token_ids=()),),
        usage=Usage(prompt_tokens=1, completion_tokens=1),
        timing=Timing(wait_s=0, run_s=0, total_s=0, switches=0),
        seed=0,
        exact=True,
    )


@dataclass
class Process:
    info: ProcessInfo
    mail: "asyncio.Queue[Mail]" = field(default_factory=lambda: asyncio.Queue(16))
    ended: "asyncio.Future[Exited]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class FakeKernel:
    """Answers each generation with the script's next line, or by asking `speak` for one."""

    token = "1"
    is_durable = False

    def __init__(
        self,
        *script: Line | Completion,
        speak: Callable[[Generate], Line | Completion] | None = None,
    ) -> None:
        self.script = list(script)
        self.speak = speak or (lambda call: self.script.pop(0))
        self.generated: list[Generate] = []
        self.cancelled: list[Syscall[Any]] = []
        self.closed_streams = 0
        self._pids = count(1)
        self._processes: dict[str, Process] = {}

    async def call(self, token: str, call: Syscall[Any], *, key: str = "") -> Any:
        if not self._processes:
            self._open("init", parent=0)
        if token not in self._processes:
            raise Denied(f"no process has the token {token!r}")
        try:
            return await self._answer(self._processes[token], checked(call))
        except asyncio.CancelledError:
            self.cancelled.append(call)
            raise

    async def stream(
        self, token: str, call: Stream, *, key: str = ""
    ) -> AsyncIterator[Delta | Completion]:
        try:
            reply = await self.call(token, call.generate)
            for word in reply.text.split():
                yield Delta(index=0, text=f"{word} ")
            yield reply
        finally:
            self.closed_streams += 1

    async def close(self) -> None:
        pass

    async def _answer(self, caller: Process, call: Syscall[Any]) -> Any:
        match call:
            case Generate():
                self.generated.append(call)
                said = self.speak(call)
                return said if isinstance(said, Completion) else completion(said)
            case Spawn():
                child = self._open(call.name, parent=caller.info.pid)
                return Spawned(pid=child.info.pid, token=str(child.info.pid))
            case Models():
                return ModelList(models=())
            case WhoAmI():
                return caller.info
            case Receive():
                return await caller.mail.get()
            case Exit():
                caller.ended.set_result(
                    Exited(caller.info.pid, ProcessState.EXITED, result=call.result)
                )
        return await self._act_on(caller, call)

    async def _act_on(self, caller: Process, call: Syscall[Any]) -> Any:
        match call:
            case Wait():
                return await self._processes[str(call.pid)].ended
            case Send():
                mail = Mail(sender=caller.info.pid, body=call.body)
                await self._processes[str(call.pid)].mail.put(mail)
        return Ok()

    def _open(self, name: str, parent: int) -> Process:
        pid = next(self._pids)
        info = ProcessInfo(
            pid=pid, parent=parent, name=name, state=ProcessState.RUNNING, priority=0,
            program=None, calls=0, live_calls=0, waiting_for="", prompt_tokens=0,
            completion_tokens=0, mail=0, age_s=0.0,
        )  # fmt: skip
        process = Process(info)
        self._processes[str(pid)] = process
        return process


def contents(messages: Sequence[Message]) -> list[str | None]:
    """What was said, in order."""
    return [message.content for message in messages]
