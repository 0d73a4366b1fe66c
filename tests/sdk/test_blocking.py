"""The client for threads is the client: same names, same parameters, same errors."""

import asyncio
import inspect
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from aios.errors import Cancelled, DeadlineExceeded, Denied, ShuttingDown, WrongState
from aios.sdk import Client, SyncClient
from aios.syscalls import Completion, Delta, Syscall
from tests.sdk.fakes import FakeKernel

R = TypeVar("R")


def from_a_thread(
    kernel: FakeKernel, work: Callable[[SyncClient], R], *, timeout_s: float | None = 5
) -> R:
    """Run `work` in a thread while the kernel's loop runs in this one."""

    async def scene() -> R:
        loop = asyncio.get_running_loop()
        client = SyncClient(Client(kernel, kernel.token), loop, timeout_s=timeout_s)
        return await asyncio.to_thread(work, client)

    return asyncio.run(scene())


def public(kind: type) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_")}


def test_both_clients_have_the_same_public_names() -> None:
    assert public(SyncClient) == public(Client)


@pytest.mark.parametrize("name", sorted(public(Client) - {"of"}))
def test_both_clients_take_the_same_parameters(name: str) -> None:
    mine, theirs = getattr(SyncClient, name), getattr(Client, name)
    assert inspect.signature(mine).parameters == inspect.signature(theirs).parameters
    assert mine.__doc__ == theirs.__doc__
    assert mine.__wrapped__ is theirs  # Not another verb's with the same fields.


def test_a_thread_gets_the_reply() -> None:
    kernel = FakeKernel("hello")
    assert from_a_thread(kernel, lambda client: client.chat("hi")).text == "hello"


def test_a_thread_speaks_for_a_child() -> None:
    def work(client: SyncClient) -> str:
        return client.of(client.spawn("child")).whoami().name

    assert from_a_thread(FakeKernel(), work) == "child"


def test_a_thread_streams_and_may_leave_early() -> None:
    def all_of_it(client: SyncClient) -> list[Delta | Completion]:
        return list(client.stream("count"))

    def first_of_it(client: SyncClient) -> tuple[Delta | Completion, int]:
        items = client.stream("count")
        first = next(items)
        items.close()
        return first, kernel.closed_streams

    assert isinstance(from_a_thread(FakeKernel("one two"), all_of_it)[-1], Completion)
    kernel = FakeKernel("one two three")
    assert from_a_thread(kernel, first_of_it) == (Delta(0, "one "), 1)


def test_errors_of_the_kernel_reach_the_thread() -> None:
    kernel = FakeKernel()
    kernel.token = "stranger"
    with pytest.raises(Denied):
        from_a_thread(kernel, lambda client: client.whoami())


def test_past_the_time_limit_the_call_is_cancelled_in_the_kernel() -> None:
    kernel = FakeKernel()
    with pytest.raises(DeadlineExceeded, match=r"no reply within 0\.01 s"):
        from_a_thread(kernel, lambda client: client.receive(), timeout_s=0.01)
    assert [type(call).__name__ for call in kernel.cancelled] == ["Receive"]


def test_a_call_from_the_loops_own_thread_is_refused_instead_of_hanging() -> None:
    async def wrong() -> None:
        kernel = FakeKernel()
        SyncClient(Client(kernel, "1"), asyncio.get_running_loop()).whoami()

    with pytest.raises(WrongState, match="expected a thread other than"):
        asyncio.run(wrong())


def test_a_loop_that_has_closed_is_an_error() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    with pytest.raises(ShuttingDown, match="closed"):
        SyncClient(Client(FakeKernel(), "1"), loop).whoami()


def test_a_loop_that_ends_during_a_call_ends_the_call() -> None:
    caught: list[Exception] = []
    waiting = asyncio.Event()

    class Signalling(FakeKernel):
        async def call(self, token: str, call: Syscall[Any], *, key: str = "") -> Any:
            waiting.set()
            return await super().call(token, call)

    async def scene() -> threading.Thread:
        kernel = Signalling()
        client = SyncClient(Client(kernel, kernel.token), asyncio.get_running_loop())

        def work() -> None:
            try:
                client.receive()
            except Cancelled as problem:
                caught.append(problem)

        thread = threading.Thread(target=work)
        thread.start()
        await waiting.wait()
        return thread

    asyncio.run(scene()).join(timeout=5)
    assert len(caught) == 1
