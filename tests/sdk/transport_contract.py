"""What every transport does alike: the kernel in process, and the same kernel over a socket."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass

import pytest

from aios.errors import (
    AiosError,
    Busy,
    Cancelled,
    DeadlineExceeded,
    InvalidArgument,
    NotFound,
    Unauthenticated,
)
from aios.kernel import Kernel
from aios.sdk import Client, Transport
from aios.syscalls import Completion, Delta, Generate, ProcessState, Spawn, Stream


@dataclass(frozen=True, kw_only=True)
class Place:
    """A kernel whose core answers slowly, and a way to it."""

    kernel: Kernel
    transport: Transport
    token: str

    @property
    def client(self) -> Client:
        return Client(self.transport, self.token)

    async def idle(self) -> None:
        """Wait until no call is open in the kernel."""
        async with asyncio.timeout(2):
            while self.kernel.gate.live:  # noqa: ASYNC110 - the kernel has no event for it
                await asyncio.sleep(0.002)


Open = Callable[[], AbstractAsyncContextManager[Place]]


class TransportContract:
    """Subclass it with a `place`."""

    @staticmethod
    def place() -> AbstractAsyncContextManager[Place]:
        raise NotImplementedError

    def lived(self, main: Callable[[Place], object]) -> None:
        async def body() -> None:
            async with asyncio.timeout(20), self.place() as place:
                await main(place)  # type: ignore[misc]  # every test's body is a coroutine

        asyncio.run(body())

    @pytest.mark.parametrize("key", ["\ud800", "two\nlines", 5])
    def test_a_key_is_printable_text(self, key: str) -> None:
        async def main(place: Place) -> None:
            with pytest.raises(InvalidArgument, match="a key of printable text"):
                await place.client.call(Spawn(name="child"), key=key)
            with pytest.raises(InvalidArgument, match="a key of printable text"):
                await anext(place.client.stream("hi", key=key))

        self.lived(main)

    def test_what_cannot_be_sent_is_told_by_its_place(self) -> None:
        async def main(place: Place) -> None:
            with pytest.raises(InvalidArgument, match=r"at `\$.decoding.max_tokens`"):
                await place.client.chat("hi", max_tokens=10**30)
            with pytest.raises(InvalidArgument, match=r"at `\$.messages\[0\].content`"):
                await place.client.chat("\ud800")
            with pytest.raises(InvalidArgument, match=r"at `\$.argument\['a'\]\[1\]`"):
                await place.client.spawn("child", argument={"a": [1, {1, object()}]})
            with pytest.raises(InvalidArgument, match="text or messages, got 5"):
                await place.client.chat(5)  # type: ignore[arg-type]

        self.lived(main)

    def test_replies_have_their_types(self) -> None:
        async def main(place: Place) -> None:
            me = await place.client.whoami()
            assert (me.name, me.state) == ("agent", ProcessState.RUNNING)
            child = await place.client.spawn("child", priority=3)
            assert (await place.client.inspect(child.pid)).priority == 3
            await place.client.of(child).exit({"n": [1, 2.5, None, b"\x00", "é"]})
            ended = await place.client.wait(child.pid)
            assert ended.result == {"n": [1, 2.5, None, b"\x00", "é"]}
            assert (await place.client.models()).models[0].name == "scripted"
            assert len((await place.client.tokenize("one two")).token_ids) == 2

        self.lived(main)

    def test_a_generation_keeps_every_field(self) -> None:
        async def main(place: Place) -> None:
            reply = await place.client.chat("hi", max_tokens=5, seed=7, logit_bias={3: 1.0}, n=2)
            again = await place.client.chat("hi", max_tokens=5, seed=7, logit_bias={3: 1.0}, n=2)
            assert isinstance(reply, Completion)
            assert reply.choices == again.choices
            assert (len(reply.choices), reply.seed, reply.exact) == (2, 7, True)

        self.lived(main)

    def test_a_stream_ends_with_the_completion_that_its_deltas_add_up_to(self) -> None:
        async def main(place: Place) -> None:
            items = [item async for item in place.client.stream("hi", max_tokens=5, seed=7)]
            completion = items.pop()
            assert isinstance(completion, Completion)
            deltas = [item for item in items if isinstance(item, Delta)]
            assert "".join(delta.text for delta in deltas) == completion.text
            said = [one for delta in deltas for one in delta.token_ids]
            assert tuple(said) == completion.choices[0].token_ids

        self.lived(main)

    def test_errors_arrive_as_they_were_raised(self) -> None:
        async def main(place: Place) -> None:
            with pytest.raises(NotFound, match="no process 999"):
                await place.client.inspect(999)
            with pytest.raises(InvalidArgument, match=r"max_tokens"):
                await place.client.chat("hi", max_tokens=0)
            with pytest.raises(DeadlineExceeded, match="nothing came"):
                await place.client.receive(timeout_s=0.01)
            with pytest.raises(Unauthenticated, match="unknown token"):
                await Client(place.transport, "nobody").whoami()
            with pytest.raises(InvalidArgument, match="expected"):
                await place.client.chat("word " * 10_000)

        self.lived(main)

    def test_a_stream_that_cannot_begin_raises(self) -> None:
        async def main(place: Place) -> None:
            with pytest.raises(InvalidArgument):
                _ = [item async for item in place.client.stream("word " * 10_000)]
            with pytest.raises(DeadlineExceeded):
                _ = [item async for item in place.client.stream("hi", deadline_s=0.2)]

        self.lived(main)

    def test_a_bound_that_is_reached_says_when_to_come_back(self) -> None:
        async def main(place: Place) -> None:
            child = await place.client.spawn("child")
            for number in range(100):
                await place.client.send(child.pid, number)
            with pytest.raises(Busy, match="holds 100 messages") as full:
                await place.client.send(child.pid, "one too many")
            assert full.value.retry_after_s == 1.0

        self.lived(main)

    def test_cancelling_an_await_cancels_the_call(self) -> None:
        async def main(place: Place) -> None:
            for work in (place.client.receive(), place.client.chat("hi")):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await work
                await place.idle()

        self.lived(main)

    def test_leaving_a_stream_cancels_the_generation(self) -> None:
        async def main(place: Place) -> None:
            async with aclosing(place.client.stream("hi")) as items:
                await anext(items)
            await place.idle()

        self.lived(main)

    def test_a_process_that_is_killed_ends_its_calls_with_cancelled(self) -> None:
        async def main(place: Place) -> None:
            child = await place.client.spawn("child")
            call: Generate = Generate(prompt="speak at length")
            work = asyncio.ensure_future(place.transport.call(child.token, call))
            stream = place.transport.stream(child.token, Stream(generate=call))
            await anext(aiter(stream))
            await place.client.kill(child.pid)
            with pytest.raises(Cancelled):
                await work
            with pytest.raises(Cancelled):
                _ = [item async for item in stream]

        self.lived(main)

    def test_many_calls_are_open_at_once(self) -> None:
        async def main(place: Place) -> None:
            waiting = [asyncio.ensure_future(place.client.receive()) for _ in range(100)]
            me = await place.client.whoami()
            while (await place.client.whoami()).live_calls < 101:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.001)
            for number in range(100):
                await place.client.send(me.pid, number)
            mail = await asyncio.gather(*waiting)
            assert sorted(one.body for one in mail) == list(range(100))

        self.lived(main)

    def test_what_goes_wrong_is_always_an_error_of_aios(self) -> None:
        async def main(place: Place) -> None:
            with pytest.raises(AiosError):
                await place.client.call("no syscall")  # type: ignore[arg-type]

        self.lived(main)

    def test_calls_of_one_key_are_one_call(self) -> None:
        async def main(place: Place) -> None:
            call = Spawn(name="only one")
            first = await place.transport.call(place.token, call, key="k")
            assert await place.transport.call(place.token, call, key="k") == first
            assert await place.transport.call(place.token, call, key="other") != first

        self.lived(main)

    def test_a_key_that_is_another_calls_is_refused(self) -> None:
        async def main(place: Place) -> None:
            await place.transport.call(place.token, Spawn(name="one"), key="k")
            with pytest.raises(InvalidArgument, match="another call's"):
                await place.transport.call(place.token, Spawn(name="two"), key="k")

        self.lived(main)

    def test_a_stream_of_a_key_is_made_once_and_told_again(self) -> None:
        async def main(place: Place) -> None:
            client = place.client
            first = [one async for one in client.stream("hi", max_tokens=5, key="s")]
            again = [one async for one in client.stream("hi", max_tokens=5, key="s")]
            assert again == first[-1:]
            assert len(first) > 1

        self.lived(main)

    def test_an_error_of_a_key_is_the_calls_one_outcome(self) -> None:
        async def main(place: Place) -> None:
            call = Spawn(name="x", program="nix")
            told = []
            for _ in range(2):
                with pytest.raises(NotFound, match="no program 'nix'") as refused:
                    await place.transport.call(place.token, call, key="e")
                told.append(refused.value.message)
            assert told[0] == told[1]

        self.lived(main)

    def test_a_generation_is_cancelled_by_its_name(self) -> None:
        async def main(place: Place) -> None:
            work = asyncio.ensure_future(place.client.chat("hi", call_id="mine"))
            stream = place.client.stream("hi", call_id="streamed")
            await anext(stream)
            for name in ("mine", "streamed"):
                await place.client.cancel(name)
            with pytest.raises(Cancelled, match="mine"):
                await work
            with pytest.raises(Cancelled, match="streamed"):
                _ = [one async for one in stream]
            with pytest.raises(NotFound, match="no live generation"):
                await place.client.cancel("mine")

        self.lived(main)
