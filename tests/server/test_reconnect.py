"""Clients whose connections are cut, or whose kernel is another one: all is done once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random

import pytest

from aios.errors import DeadlineExceeded, OutcomeUnknown
from aios.sdk import Client
from aios.sdk.again import Patience
from aios.sdk.http import HttpTransport
from aios.server.settings import Settings
from aios.syscalls import Completion, Send
from aios.testing.journal import InlineJournal
from aios.testing.script import Script
from tests.server.house import QUICK, House, house, lived, soon

EAGER = Patience(total_s=20.0, first_s=0.002, most_s=0.02)
FIXED = "a-token-from-a-file"
SPEAKING = Script(step_s=0.001, answer_tokens=(60, 60), context_tokens=8_000)


class Cutter:
    """A proxy that ends each of its connections after some bytes, in whatever they are part of."""

    def __init__(self, port: int, rng: Random, bytes_max: int) -> None:
        self._port = port
        self._rng = rng
        self._bytes_max = bytes_max
        self._left = 0
        self.cuts = 0
        self.is_calm = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        left = [self._rng.randrange(self._bytes_max)]  # of both directions together

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(self._rng.randrange(1, 400)):
                part = data if self.is_calm else data[: left[0]]
                sink.write(part)
                left[0] -= len(part)
                if len(part) < len(data):
                    self.cuts += 1
                    return
                await sink.drain()

        both = (pump(reader, back), pump(there, writer))
        pumps = [asyncio.ensure_future(one) for one in both]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for one in pumps:
            one.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        for end in (writer, back):
            end.transport.abort()


@asynccontextmanager
async def cut(home: House, seed: int, bytes_max: int) -> AsyncIterator[tuple[Cutter, Client]]:
    cutter = Cutter(home.port, Random(seed), bytes_max)
    server = await asyncio.start_server(cutter.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    async with HttpTransport(url, patience=EAGER, random=Random(seed)) as transport:
        client = Client(transport, home.token)
        cutter.is_calm = True
        await client.whoami()
        cutter.is_calm = False
        try:
            yield cutter, client
        finally:
            server.close()


async def mail_of(home: House, name: str = "agent") -> list[object]:
    """All that lies in an agent's mailbox."""
    table = home.kernel.table
    agent = next(one for one in table.all(ended=False) if one.name == name)
    client, found = Client(home.kernel, table.token_of(agent)), list[object]()
    with suppress(DeadlineExceeded):
        while True:
            found.append((await client.receive(timeout_s=0.01)).body)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_calls_with_a_key_are_made_once_however_often_they_are_cut(seed: int) -> None:
    async def main() -> None:
        async with house() as home, cut(home, seed, 900) as (cutter, client):
            pid = home.kernel.table.by_token(home.token).pid
            for number in range(25):
                await client.call(Send(pid=pid, body=number), key=f"k{number}")
            assert cutter.cuts > 5
            assert await mail_of(home) == list(range(25))

    lived(main)


def test_calls_that_only_look_are_made_again() -> None:
    async def main() -> None:
        async with house() as home, cut(home, 7, 900) as (cutter, client):
            for _ in range(25):
                assert (await client.whoami()).name == "agent"
            assert cutter.cuts > 5

    lived(main)


def test_what_changes_something_and_has_no_key_says_that_nobody_knows() -> None:
    async def main() -> None:
        async with house() as home, cut(home, 3, 900) as (_, client):
            pid = home.kernel.table.by_token(home.token).pid
            sure, unsure = [], []
            for number in range(30):
                try:
                    await client.send(pid, number)
                    sure.append(number)
                except OutcomeUnknown:
                    unsure.append(number)
            mail = await mail_of(home)
            assert sure
            assert unsure
            assert set(sure) <= set(mail)
            assert len(set(mail)) == len(mail)
            assert mail == sorted(mail)  # type: ignore[type-var]  # as above

    lived(main)


@pytest.mark.parametrize("seed", range(3))
def test_a_stream_with_a_key_goes_on_where_it_was_cut(seed: int) -> None:
    async def main() -> None:
        async with house(script=SPEAKING) as home, cut(home, seed, 6_000) as (cutter, client):
            whole = await Client(home.kernel, home.token).chat("speak", seed=5)
            told = 0
            while cutter.cuts < 3:
                items = [one async for one in client.stream("speak", seed=5, key=f"s{told}")]
                last = items.pop()
                assert isinstance(last, Completion)
                assert last.choices == whole.choices
                assert "".join(one.text for one in items if not isinstance(one, Completion)) in (
                    whole.text,
                    "",  # Its completion was there before anything of it was heard.
                )
                told += 1

    lived(main)


def test_a_kernel_that_comes_again_is_gone_on_with() -> None:
    async def main() -> None:
        journal = InlineJournal()
        settings = Settings(agents={FIXED: "writer"})
        done: list[int] = []
        enough = asyncio.Event()

        async def keep_sending(transport: HttpTransport) -> None:
            client = Client(transport, FIXED)
            pid = (await client.whoami()).pid
            while not enough.is_set():
                await client.call(Send(pid=pid, body=len(done)), key=f"k{len(done)}")
                done.append(len(done))
                await asyncio.sleep(0.002)  # A mailbox has a bound.

        async with house(script=QUICK, settings=settings, journal=journal) as home:
            port = home.port
            transport = HttpTransport(home.url, patience=EAGER, random=Random(1))
            work = asyncio.ensure_future(keep_sending(transport))
            await soon(lambda: len(done) > 20, 20)
        for seed in (2, 3):
            reached = len(done)
            async with house(settings=settings, journal=journal, seed=seed, port=port) as home:
                await soon(lambda goal=reached + 20: len(done) > goal, 20)  # type: ignore[misc]
                if seed == 3:
                    enough.set()
                    await work
                    await transport.close()
                    assert await mail_of(home, "writer") == list(range(len(done)))

    lived(main)
