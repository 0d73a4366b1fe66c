"""Results that are longer than they may be: what is told, and where the whole is."""

import json
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aios.access.base import Act
from aios.access.policy import Line, Policy
from aios.clock import LoopClock
from aios.errors import Denied, WrongState
from aios.journal.base import Work
from aios.journal.journal import open_journal
from aios.kernel.environment import Environment
from aios.kernel.guard.fittings import vault_of
from aios.kernel.guard.flow_calls import Labels
from aios.kernel.guard.parts import Fence, Parts, Setting
from aios.kernel.kernel import Kernel
from aios.kernel.process import Process
from aios.kernel.rooms.opening import open_rooms
from aios.kernel.tools.servers import ToolServers
from aios.kernel.tools.wholes import BYTES_MAX, FILES_MAX, Wholes
from aios.kernel.waits import Waits
from aios.retrieval.ngrams import NgramEmbedder
from aios.scheduler import make
from aios.sdk.client import Client
from aios.syscalls.access import Verdict
from aios.syscalls.base import Syscall
from aios.syscalls.file import FileUsage, Quota
from aios.syscalls.tool import CallTool, Content, FileRef, Image, Json, Text, ToolResult
from aios.testing.homes import scripted
from aios.tools.base import Outside, Terms, Tool
from aios.tools.naming import info_of
from tests.kernel.guard.labelled import ANYTHING, WEB, awaited, sources
from tests.kernel.tool_house import Changing

SECRET = "correct horse battery"
MOST = 100  # bytes that a result may have


class Asked:
    """A human who is never there."""

    def __init__(self) -> None:
        self.of: list[str] = []

    async def ask(
        self, process: Process, act: Act, call: Syscall[Any], verdict: Verdict, work: Work
    ) -> Any:
        self.of.append(act.verb)
        raise Denied("nobody is there")


class Here:
    """A kernel with files, and the tool `far/say` that tells what a test wants."""

    def __init__(self, kernel: Kernel, asked: Asked, ran: list[int]) -> None:
        self.first = Client(kernel, kernel.token)
        self.asked = asked
        self.ran = ran

    async def agent(self, name: str = "ada") -> Client:
        return self.first.of(await self.first.spawn(name))


def said(*contents: Content) -> Changing:
    """Its tool tells these, or a text made of its argument."""

    async def run(arguments: Mapping[str, Any], outside: Outside) -> tuple[Content, ...]:
        return contents or (Text(f"{arguments.get('word', '')} " * MOST),)

    terms = Terms(result_bytes=MOST, source="web", touches=WEB)
    return Changing("far", Tool(info=info_of("far/say", "", ANYTHING, terms), terms=terms, run=run))


@asynccontextmanager
async def here(
    folder: Path, *contents: Content, policy: Policy | None = None
) -> AsyncIterator[Here]:
    journal = open_journal(folder / "journal", is_durable=False)
    given = Environment(clock=LoopClock(), random=random.Random(1))
    asked, ran, source = Asked(), [], said(*contents)
    vault = vault_of(folder)
    vault.set("horse", SECRET)
    tool = source.offered[0]

    async def run(arguments: Mapping[str, Any], outside: Outside) -> Any:
        ran.append(1)
        return await tool.run(arguments, outside)

    source.offered = (Tool(info=tool.info, terms=tool.terms, run=run),)

    def fit(setting: Setting) -> Parts:
        return Parts(asker=asked, vault=vault)

    try:
        async with open_rooms(journal, folder, given, NgramEmbedder()) as rooms:
            kernel = Kernel(
                [scripted()],
                lambda: make("rr"),
                rooms=rooms.handlers,
                environment=replace(given, journal=journal),
                fence=Fence(policy=policy or Policy(labels="enforce"), fittings=(Labels(), fit)),
                tools=ToolServers((source,)),
            )
            rooms.speak(kernel.call_for)
            async with kernel:
                yield Here(kernel, asked, ran)
    finally:
        await journal.close()


def refs(result: ToolResult) -> list[FileRef]:
    return [one for one in result.contents if isinstance(one, FileRef)]


async def paths(client: Client) -> set[str]:
    return {one.path for one in (await client.files.list("results")).files}


@awaited
async def test_a_long_text_is_told_in_part_and_is_whole_in_a_file(tmp_path: Path) -> None:
    async with here(tmp_path) as home:
        ada = await home.agent()
        result = await ada.tools.call("far/say", {"word": "spam"})
        (ref,) = refs(result)
        whole = ("spam " * MOST).encode()
        assert result.contents[0] == Text(whole[:MOST].decode())
        assert ref == FileRef(ref.path, len(whole))
        assert ref.path.startswith("results/far-say-")
        assert ref.path.endswith(".txt")
        assert result.remarks == (
            "cut: 400 of 500 bytes of text were left out",
            f"kept whole: {ref.path}",
        )
        assert (await ada.files.read(ref.path)).data == whole


@awaited
async def test_json_images_and_several_texts_are_kept_as_what_they_are(tmp_path: Path) -> None:
    value = {"rows": list(range(MOST))}
    async with here(tmp_path, Json(value), Image(b"x" * 500, "image/png")) as home:
        ada = await home.agent()
        table, image = refs(await ada.tools.call("far/say"))
        assert json.loads((await ada.files.read(table.path)).data) == value
        assert image.path.endswith(".png")
        assert (await ada.files.read(image.path)).data == b"x" * 500
    texts = (Text("one"), Json([2]), Text("x" * MOST))
    async with here(tmp_path / "more", *texts) as home:
        ada = await home.agent()
        (ref,) = refs(await ada.tools.call("far/say"))
        assert (await ada.files.read(ref.path)).data == b"one\n[2]\n" + b"x" * MOST


@awaited
async def test_what_fits_is_kept_nowhere(tmp_path: Path) -> None:
    async with here(tmp_path, Text("x" * MOST)) as home:
        ada = await home.agent()
        assert (await ada.tools.call("far/say")).remarks == ()
        assert (await ada.files.list()).files == ()


@awaited
async def test_the_same_words_are_one_file_and_a_key_runs_and_keeps_once(tmp_path: Path) -> None:
    async with here(tmp_path) as home:
        ada = await home.agent()
        results = [await ada.tools.call("far/say", {"word": "a"}, key=key) for key in ("k", "k")]
        assert results[0] == results[1]
        assert len(home.ran) == 1
        again = await ada.tools.call("far/say", {"word": "a"})
        assert refs(again) == refs(results[0])
        (only,) = (await ada.files.list("results")).files
        assert (only.path, only.version) == (refs(again)[0].path, 1)


@awaited
async def test_the_file_bears_the_label_of_where_its_words_come_from(tmp_path: Path) -> None:
    async with here(tmp_path) as home:
        ada, other = await home.agent(), await home.agent()
        (ref,) = refs(await ada.tools.call("far/say", {"word": "a"}))
        assert await sources(other) == set()
        await other.files.read(ref.path)
        assert await sources(other) == {"web"}


@awaited
async def test_no_secret_is_in_the_file(tmp_path: Path) -> None:
    async with here(tmp_path, Text("x" * 400 + SECRET)) as home:
        ada = await home.agent()
        (ref,) = refs(await ada.tools.call("far/say"))
        assert (await ada.files.read(ref.path)).data == b"x" * 400 + b"[secret horse]"


@awaited
async def test_the_oldest_go_into_the_bin_and_nobody_is_asked_of_it(tmp_path: Path) -> None:
    asks = (Line("final acts", verbs=("file.delete",)),)
    async with here(tmp_path, policy=Policy(labels="enforce", ask=asks)) as home:
        ada = await home.agent()
        await ada.files.write("results/mine.txt", b"my own")
        made = [
            refs(await ada.tools.call("far/say", {"word": str(number)}))[0].path
            for number in range(FILES_MAX + 2)
        ]
        assert await paths(ada) == {"results/mine.txt", *made[2:]}
        assert home.asked.of == []
        assert {one.path for one in (await ada.files.bin()).deleted} == set(made[:2])


@pytest.mark.parametrize("how", ["ask", "deny"])
@awaited
async def test_who_may_not_write_or_only_with_a_yes_is_told_as_much_as_fits(
    tmp_path: Path, how: str
) -> None:
    line = {how: (Line("no files", verbs=("file.write",)),)}
    async with here(tmp_path, policy=Policy(labels="enforce", **line)) as home:  # type: ignore[arg-type]
        ada = await home.agent()
        result = await ada.tools.call("far/say", {"word": "spam"})
        assert refs(result) == []
        assert result.remarks == ("cut: 400 of 500 bytes of text were left out",)
        assert home.asked.of == []


@awaited
async def test_a_file_in_the_folders_place_is_left_alone(tmp_path: Path) -> None:
    async with here(tmp_path) as home:
        ada = await home.agent()
        await ada.files.write("results", b"my own")
        assert refs(await ada.tools.call("far/say", {"word": "spam"})) == []
        assert (await ada.files.read("results")).data == b"my own"


class Willing:
    """A guard that has nothing against it."""

    def lets(self, process: Process, call: Syscall[Any]) -> bool:
        return True

    def hears(self, process: Process, call: CallTool, result: ToolResult) -> None:
        return

    def hidden(self, result: ToolResult) -> ToolResult:
        return result


@pytest.mark.parametrize(
    ("size", "used", "writes"),
    [(500, 0, 1), (500, 4_600, 0), (BYTES_MAX + 1, 0, 0), (500, None, 0)],
    ids=["room", "half the quota is taken", "very long", "no storage"],
)
@awaited
async def test_results_leave_an_agents_own_files_room(
    size: int, used: int | None, writes: int
) -> None:
    written: list[str] = []

    async def speak(token: str, call: Any) -> Any:
        if isinstance(call, FileUsage):
            if used is None:
                raise WrongState("no files here")
            return Quota(used, 10_000, 1, 100)
        if token == "first":
            raise WrongState("not now")
        written.append(call.path)
        return None

    process = Process(
        pid=2, parent=1, name="a", agent="a", token="t", priority=0, program="", born=0.0
    )
    wholes = Wholes(speak, lambda: "first", Waits(), Willing())
    result = ToolResult(contents=(Text("x" * size),))
    kept = await wholes.keep(process, CallTool(name="far/say"), result, MOST)
    assert [one.path for one in kept] == written
    assert len(written) == writes
