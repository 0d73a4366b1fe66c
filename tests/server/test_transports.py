"""The transport contract, in process and over a loopback socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from aios.config import Limits
from aios.errors import ShuttingDown
from aios.sdk import Client
from aios.sdk.http import HttpTransport
from aios.testing.script import Script
from tests.sdk.transport_contract import Place, TransportContract
from tests.server.house import house

SLOW = Script(step_s=0.005, answer_tokens=(2_000, 2_000))
LIMITS = Limits(mail_max=100, drain_s=5.0)


class TestInProcess(TransportContract):
    @staticmethod
    @asynccontextmanager
    async def place() -> AsyncIterator[Place]:
        async with house(script=SLOW, limits=LIMITS) as home:
            yield Place(kernel=home.kernel, transport=home.kernel, token=home.token)


class TestOverHttp(TransportContract):
    @staticmethod
    @asynccontextmanager
    async def place() -> AsyncIterator[Place]:
        async with (
            house(script=SLOW, limits=LIMITS) as home,
            HttpTransport(home.url) as transport,
        ):
            yield Place(kernel=home.kernel, transport=transport, token=home.token)


def test_where_no_kernel_is_the_error_names_the_place() -> None:
    async def main() -> None:
        async with HttpTransport("http://127.0.0.1:9") as transport:
            with pytest.raises(
                ShuttingDown, match=r"no kernel answers at .*:9: connection refused$"
            ):
                await Client(transport, "x").whoami()

    asyncio.run(main())
