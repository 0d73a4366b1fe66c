"""Questions put to a person at the terminal of `aios run`: one at a time, while they stand."""

import asyncio
from collections.abc import Iterator

import pytest

from aios.cli.prompt import prompting
from aios.errors import Denied
from aios.sdk.client import Client
from aios.testing.journal import InlineJournal
from tests.kernel.guard.fenced import agent, fenced
from tests.kernel.house import lived


@pytest.fixture
def journal() -> Iterator[InlineJournal]:
    opened = InlineJournal()
    yield opened
    opened.close()


class Person:
    """Answers with the lines it was given, and then not at all."""

    def __init__(self, *lines: str | None) -> None:
        self.lines = list(lines)
        self.seen: list[str] = []

    async def __call__(self, text: str) -> str | None:
        self.seen.append(text)
        if not self.lines:
            await asyncio.get_running_loop().create_future()
        return self.lines.pop(0)


async def freed(client: Client, name: str = "plan") -> str:
    await client.memory.alloc(name)
    try:
        await client.memory.free(name)
    except Denied:
        return "denied"
    return "freed"


@pytest.mark.parametrize(
    ("lines", "outcome"),
    [(("y\n",), "freed"), (("No\n",), "denied"), (("perhaps\n", "\n", "YES\n"), "freed")],
)
def test_a_person_is_asked_until_the_answer_is_one(
    journal: InlineJournal, lines: tuple[str, ...], outcome: str
) -> None:
    async def body() -> None:
        person = Person(*lines)
        async with fenced(journal) as kernel, prompting(kernel, person):
            assert await freed(await agent(kernel)) == outcome
        assert len(person.seen) == len(lines)
        assert "memory block plan is lost for good" in person.seen[0]

    lived(body)


def test_two_questions_are_put_one_after_the_other(journal: InlineJournal) -> None:
    async def body() -> None:
        person = Person("yes\n", "no\n")
        async with fenced(journal) as kernel, prompting(kernel, person):
            client = await agent(kernel)
            both = await asyncio.gather(freed(client, "a"), freed(client, "b"))
        assert sorted(both) == ["denied", "freed"]

    lived(body)


def test_a_person_who_asks_for_everything_is_asked_again_with_everything(
    journal: InlineJournal,
) -> None:
    async def body() -> None:
        person = Person("full\n", "yes\n")
        long = "x" * 2_000
        async with fenced(journal) as kernel, prompting(kernel, person):
            client = await agent(kernel)
            said = await client.approvals.ask(long, ["y" * 200] * 64)
        assert not said.is_no
        assert "characters left out" in person.seen[0]
        assert long in person.seen[1]

    lived(body)


def test_what_somebody_else_answered_is_asked_no_longer(journal: InlineJournal) -> None:
    async def body() -> None:
        person = Person()
        async with fenced(journal) as kernel, prompting(kernel, person):
            working = asyncio.ensure_future(freed(await agent(kernel)))
            while not person.seen:  # noqa: ASYNC110 - virtual time costs nothing
                await asyncio.sleep(0.01)
            human = Client(kernel, kernel.token)
            (one,) = (await human.approvals.list()).approvals
            await human.approvals.answer(one.id, one.digest, True)
            assert await working == "freed"
            person.lines = ["yes\n"]
            assert await freed(await agent(kernel, "shop")) == "freed"
            assert len(person.seen) == 2

    lived(body)


def test_where_nobody_is_there_any_more_the_answer_is_no_in_the_end(
    journal: InlineJournal,
) -> None:
    async def body() -> None:
        async with fenced(journal, patience_s=5) as kernel, prompting(kernel, Person(None)):
            assert await freed(await agent(kernel)) == "denied"

    lived(body)
