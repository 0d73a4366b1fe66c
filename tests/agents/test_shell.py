"""The shell on a kernel with real files: it shows steps, asks before some, and does as shown."""

import json
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aios.agents.shell import Person, Shell
from aios.agents.steps import Step
from aios.clock import LoopClock
from aios.journal.statements import OUTBOX_OLDEST
from aios.kernel import Kernel
from aios.kernel.environment import Environment
from aios.kernel.rooms.file_calls import file_calls
from aios.scheduler import make
from aios.sdk import Client
from aios.storage import Ground, Storage
from aios.storage.draft import INDEXED
from aios.syscalls import Generate, Message, ToolCall
from aios.testing.cores import ScriptedCore
from aios.testing.journal import InlineJournal
from aios.testing.loop import run
from aios.testing.script import Script
from aios.testing.store import ScriptedStore
from tests.storage.rooms import Inline, WordSearcher

Line = tuple[str, dict[str, object]] | str
MONDAY = datetime(2026, 6, 1, 9, tzinfo=UTC).timestamp()
DAY_S = 86_400.0


class Calendar(LoopClock):
    """A day that the test turns."""

    def __init__(self) -> None:
        self.utc_now = MONDAY

    def utc(self) -> float:
        return self.utc_now


class Somebody:
    """Sees steps, and says yes or no."""

    def __init__(self, answer: bool = True) -> None:
        self.answer = answer
        self.shown: list[Step] = []
        self.asked: list[Step] = []

    async def confirm(self, step: Step) -> bool:
        assert self.shown[-1] == step, "a step is shown before it is asked about"
        self.asked.append(step)
        return self.answer


def speech(lines: Sequence[Line]) -> Callable[[Generate], str | Message]:
    """A model that says one line after another, whatever it is told."""

    def speak(call: Generate) -> str | Message:
        line = lines[sum(message.role == "assistant" for message in call.messages)]
        if isinstance(line, str):
            return line
        name, arguments = line
        tools = {tool.name for tool in call.decoding.tools}
        assert name in tools, f"{name} is not among {tools}"
        asked = ToolCall(id="1", name=name, arguments=json.dumps(arguments))
        return Message(role="assistant", content=None, tool_calls=(asked,))

    return speak


def told(
    folder: Path,
    lines: Sequence[Line],
    somebody: Somebody,
    prepare: Callable[[Client, Calendar], Awaitable[None]],
    look: Callable[[Client], Awaitable[None]],
) -> str:
    """What the shell answers; `prepare` and `look` come before and after."""

    async def main(_: random.Random) -> str:
        calendar, journal = Calendar(), InlineJournal()
        ground = Ground(folder=folder, clock=calendar, random=random.Random(1), beside=Inline)
        searcher = WordSearcher()
        storage = Storage(journal, searcher, ground)
        await storage.open()
        core = ScriptedCore(
            Script(lanes=1), clock=LoopClock(), rng=random.Random(1), store=ScriptedStore(),
            answer=speech(lines),
        )  # fmt: skip
        environment = Environment(random=random.Random(1), journal=journal)
        kernel = Kernel(
            [core], lambda: make("rr"), rooms=file_calls(storage), environment=environment
        )
        async with kernel:
            child = await Client(kernel, kernel.token).spawn("writer")
            client = Client(kernel, child.token)
            await prepare(client, calendar)
            ids = [str(id) for _, id in await journal.read(OUTBOX_OLDEST, INDEXED, 100)]
            documents = await storage.documents(ids)
            searcher.texts = {one.id: f"{one.title} {one.text}" for one in documents}
            shell = Shell(Person(show=somebody.shown.append, confirm=somebody.confirm), calendar)
            answer = await shell(client, "do it")
            await look(client)
        await storage.close()
        return answer

    return run(main)


async def a_week_of_reports(client: Client, calendar: Calendar) -> None:
    for day, text in enumerate(("whales on Monday", "whales on Tuesday", "sharks, by mistake")):
        calendar.utc_now = MONDAY + day * DAY_S
        await client.files.write("reports/sea.txt", text)
    await client.files.write("plan.txt", "lunch")
    calendar.utc_now = MONDAY + 5 * DAY_S


async def nothing(client: Client, calendar: Calendar) -> None:
    pass


async def no_look(client: Client) -> None:
    pass


def test_a_report_is_found_and_put_back_to_tuesdays_version(tmp_path: Path) -> None:
    async def look(client: Client) -> None:
        assert await client.files.read_text("reports/sea.txt") == "whales on Tuesday"
        assert (await client.files.stat("reports/sea.txt")).version == 4

    somebody = Somebody()
    lines: list[Line] = [
        ("search", {"query": "reports/sea", "days": 7}),
        ("versions", {"path": "reports/sea.txt"}),
        ("rollback", {"path": "reports/sea.txt", "version": 2}),
        "The sea report is back at Tuesday's version.",
    ]
    answer = told(tmp_path, lines, somebody, a_week_of_reports, look)
    assert answer == "The sea report is back at Tuesday's version."
    assert [step.act for step in somebody.shown] == ["search", "versions", "rollback"]
    (asked,) = somebody.asked
    assert asked.text == "reports/sea.txt to version 2 of Tuesday 2026-06-02 09:00"


@pytest.mark.parametrize(
    "line",
    [
        ("delete", {"path": "plan.txt"}),
        ("write", {"path": "plan.txt", "text": "dinner"}),
        ("rollback", {"path": "reports/sea.txt", "version": 1}),
        ("move", {"path": "plan.txt", "to": "reports/sea.txt", "replace": True}),
        ("share", {"path": "plan.txt"}),
    ],
)
def test_what_cannot_be_undone_is_not_done_without_a_yes(
    tmp_path: Path, line: tuple[str, dict[str, object]]
) -> None:
    async def look(client: Client) -> None:
        assert await client.files.read_text("plan.txt") == "lunch"
        assert await client.files.read_text("reports/sea.txt") == "sharks, by mistake"
        assert (await client.files.links()).links == ()
        assert (await client.files.bin()).deleted == ()

    somebody = Somebody(answer=False)
    told(tmp_path, [line, "Refused."], somebody, a_week_of_reports, look)
    assert [step.act for step in somebody.asked] == [line[0]]


def test_harmless_steps_are_shown_and_not_asked_about(tmp_path: Path) -> None:
    async def look(client: Client) -> None:
        paths = [one.path for one in (await client.files.list(deep=True)).files]
        assert paths == ["a", "b", "b/copy.txt", "b/new.txt"]
        assert await client.files.read_text("b/new.txt") == "one, two"

    somebody = Somebody()
    lines: list[Line] = [
        ("write", {"path": "a/new.txt", "text": "one"}),
        ("append", {"path": "a/new.txt", "text": ", too"}),
        ("edit", {"path": "a/new.txt", "old": "too", "new": "two"}),
        ("make_folder", {"path": "b"}),
        ("copy", {"path": "a/new.txt", "to": "b/copy.txt"}),
        ("move", {"path": "a/new.txt", "to": "b/new.txt"}),
        ("list", {"deep": True}),
        ("read", {"path": "b/new.txt"}),
        ("compare", {"path": "b/new.txt", "old": 1}),
        ("bin", {}),
        "Done.",
    ]
    told(tmp_path, lines, somebody, nothing, look)
    assert somebody.asked == []
    assert len(somebody.shown) == 10


def test_a_yes_is_to_what_was_shown_not_to_what_came_meanwhile(tmp_path: Path) -> None:
    """Somebody changes the file by hand while the person thinks about the question."""

    class Slow(Somebody):
        async def confirm(self, step: Step) -> bool:
            (tmp_path / "writer" / "plan.txt").write_text("changed by hand")
            return await super().confirm(step)

    async def look(client: Client) -> None:
        assert await client.files.read_text("plan.txt") == "changed by hand"

    lines: list[Line] = [("write", {"path": "plan.txt", "text": "dinner"}), "It was a conflict."]
    told(tmp_path, lines, Slow(), a_week_of_reports, look)


def test_deleted_things_come_back_by_their_id(tmp_path: Path) -> None:
    async def prepare(client: Client, calendar: Calendar) -> None:
        await client.files.write("plan.txt", "lunch")
        ids.append((await client.files.delete("plan.txt")).id)
        lines[0] = ("restore", {"id": ids[0]})

    async def look(client: Client) -> None:
        assert await client.files.read_text("plan.txt") == "lunch"

    ids: list[str] = []
    lines: list[Line] = ["", "Back."]
    told(tmp_path, lines, Somebody(), prepare, look)
