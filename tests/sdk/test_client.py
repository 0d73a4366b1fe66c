"""The client's methods against the syscalls they stand for, and what a caller can rely on."""

import asyncio
import inspect
from contextlib import aclosing
from typing import get_type_hints

import pytest

from aios.errors import Denied, InvalidArgument
from aios.sdk import Client, Options
from aios.syscalls import (
    Completion,
    Decoding,
    Delta,
    Generate,
    Message,
    ProcessState,
    Syscall,
    ToolSpec,
)
from aios.syscalls.table import SYSCALLS
from tests.sdk.fakes import FakeKernel, contents

CHATS = {"llm.generate", "llm.stream"}  # Their methods are `chat` and `stream`.
OWN = {name for name in SYSCALLS if name.partition(".")[0] in {"llm", "process"}}  # no sub-client's


def client_of(kernel: FakeKernel) -> Client:
    return Client(kernel, kernel.token)


@pytest.mark.parametrize("name", sorted(OWN - CHATS))
def test_every_syscall_has_a_method_of_its_verb_with_its_fields_and_defaults(name: str) -> None:
    kind = SYSCALLS[name]
    method = inspect.signature(getattr(Client, name.partition(".")[2]))
    taken = {one.name: one.default for one in list(method.parameters.values())[1:]}
    fields = {one.name: one for one in inspect.signature(kind).parameters.values()}
    assert taken.keys() == fields.keys()
    assert taken == {name: field.default for name, field in fields.items()}


def test_chat_takes_every_field_of_generate_and_decoding_but_prompt_and_tools() -> None:
    fields = get_type_hints(Generate) | get_type_hints(Decoding)
    others = {"messages", "prompt", "token_ids", "decoding", "tools"}
    mine = {name: hint for name, hint in fields.items() if name in Decoding.__struct_fields__}
    assert get_type_hints(Options).keys() == fields.keys() - others
    assert {n: h for n, h in get_type_hints(Options).items() if n in mine} == {
        name: hint for name, hint in mine.items() if name != "tools"
    }


def test_a_text_is_one_message_of_the_user_and_options_reach_their_place() -> None:
    kernel = FakeKernel("hello")
    spec = ToolSpec("look")

    reply = asyncio.run(
        client_of(kernel).chat("hi", [spec], temperature=0.0, model="m", priority=3, stop=("x",))
    )

    assert reply.text == "hello"
    assert kernel.generated == [
        Generate(
            messages=(Message("user", "hi"),),
            decoding=Decoding(tools=(spec,), temperature=0.0, stop=("x",)),
            model="m",
            priority=3,
        )
    ]


def test_an_option_nobody_knows_is_refused() -> None:
    with pytest.raises(TypeError, match="temprature"):
        asyncio.run(client_of(FakeKernel()).chat("hi", temprature=0.0))  # type: ignore[call-arg]


def test_an_empty_prompt_is_an_error_that_says_what_was_expected() -> None:
    with pytest.raises(InvalidArgument, match="expected exactly one of messages"):
        asyncio.run(client_of(FakeKernel()).chat([]))


def test_errors_of_the_kernel_reach_the_caller_as_they_are() -> None:
    with pytest.raises(Denied, match="'stranger'"):
        asyncio.run(Client(FakeKernel(), "stranger").whoami())


def test_stream_gives_deltas_and_last_the_completion() -> None:
    async def items() -> list[Delta | Completion]:
        return [item async for item in client_of(FakeKernel("one two")).stream("count")]

    *deltas, last = asyncio.run(items())

    assert [one.text for one in deltas if isinstance(one, Delta)] == ["one ", "two "]
    assert isinstance(last, Completion)
    assert last.text == "one two"


def test_leaving_a_stream_early_closes_the_transports() -> None:
    kernel = FakeKernel("one two three")

    async def leave_early() -> int:
        async with aclosing(client_of(kernel).stream("count")) as items:
            await anext(items)
        return kernel.closed_streams

    assert asyncio.run(leave_early()) == 1


def test_cancelling_an_await_cancels_the_call_in_the_transport() -> None:
    kernel = FakeKernel()

    async def give_up() -> None:
        async with asyncio.timeout(0.01):
            await client_of(kernel).receive()

    with pytest.raises(TimeoutError):
        asyncio.run(give_up())
    assert [type(call).__name__ for call in kernel.cancelled] == ["Receive"]


def test_processes_speak_for_themselves_and_to_each_other() -> None:
    async def scene() -> tuple[object, ...]:
        parent = client_of(FakeKernel())
        spawned = await parent.spawn("child")
        child = parent.of(spawned)
        await parent.send(spawned.pid, {"n": 1})
        mail = await child.receive()
        await child.exit(mail.body)
        ended = await parent.wait(spawned.pid)
        return (await child.whoami()).name, mail.sender, ended.state, ended.result

    assert asyncio.run(scene()) == ("child", 1, ProcessState.EXITED, {"n": 1})


def test_messages_are_sent_as_they_are() -> None:
    kernel = FakeKernel("ok")
    talk = [Message("system", "be brief"), Message("user", "hi")]
    asyncio.run(client_of(kernel).chat(talk))
    assert contents(kernel.generated[0].messages) == ["be brief", "hi"]


def test_call_takes_any_syscall() -> None:
    call: Syscall[Completion] = Generate(prompt="once upon")
    assert asyncio.run(client_of(FakeKernel("a time")).call(call)).text == "a time"
