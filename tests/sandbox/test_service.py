"""A program that goes on: talked to over one socket, ended whole, and held as any job."""

import asyncio

import pytest

from aios.errors import Denied
from aios.sandbox.base import Egress, Job
from aios.sandbox.service import Started
from tests.sandbox.house import House, bounded

ECHO = "import sys\nfor line in sys.stdin:\n    print(line.strip().upper(), flush=True)\n"


def started(house: House, *argv: str) -> Started:
    job = Job(argv=argv, bounds=bounded(wall_s=1e6, cpu_s=1e4))
    return house.do(house.sandbox.serve(job))


async def line(service: Started, said: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(service.connection, said)
    got = b""
    while not got.endswith(b"\n"):
        got += await loop.sock_recv(service.connection, 100)
    return got


def test_it_answers_again_and_again_until_it_is_ended(house: House) -> None:
    service = started(house, "python3", "-c", ECHO)
    assert house.do(line(service, b"one\n")) == b"ONE\n"
    assert house.do(line(service, b"two\n")) == b"TWO\n"
    assert house.do(service.end()).tier == house.sandbox.tier.name


def test_one_that_leaves_says_why_on_stderr(house: House) -> None:
    service = started(house, "python3", "-c", "import sys; sys.exit('no config')")

    async def read() -> bytes:
        return await asyncio.get_running_loop().sock_recv(service.connection, 10)

    assert house.do(read()) == b""
    ended = house.do(service.end())
    assert (ended.code, ended.stderr) == (1, b"no config\n")


def test_a_program_that_is_not_there_is_told(house: House) -> None:
    service = started(house, "/no/such/program")
    assert house.do(service.end()).code == 127


def test_without_a_way_out_hosts_are_refused(house: House) -> None:
    with pytest.raises(Denied, match="way out"):
        house.do(house.sandbox.serve(Job(argv=("true",), egress=Egress(("a.example:443",)))))
