"""The record of decisions: nothing is missing, nothing changes unseen, no effect precedes it."""

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from pathlib import Path
from random import Random

import pytest

from aios.access.base import Act, Effect
from aios.access.chain import START, Place
from aios.errors import Busy, NoSpace
from aios.journal import statements as sql
from aios.journal.base import Change, Statement
from aios.kernel.guard.audit import PAGE_MAX, UNPOSTED_MAX, Audit, Telling, continued
from aios.kernel.guard.audit_book import AuditBook
from aios.kernel.guard.audit_calls import AuditCalls
from aios.kernel.guard.audit_dials import PLACES_MAX
from aios.kernel.guard.audit_place import FileSafe, RamSafe, Safe
from aios.kernel.process import Process
from aios.sandbox.base import Whose
from aios.sandbox.egress import Decision as Dial
from aios.syscalls.access import Verdict
from aios.syscalls.audit import AuditRecord, AuditRecords, AuditState, VerifyAudit
from aios.syscalls.file import ReadFile, WriteFile
from aios.syscalls.llm import Generate
from aios.syscalls.process import Send
from aios.syscalls.tool import CallTool
from aios.testing.journal import InlineJournal
from aios.testing.loop import VirtualClock
from tests.kernel.guard.desk import ALLOWS, DENIES, INIT, Desk, Plain, act, process
from tests.kernel.house import lived

WRITE = WriteFile(path="a.txt", data=b"a secret content")
SEND = Send(pid=3, body="hi")
READ = ReadFile(path="a.txt")
EVERYTHING = AuditRecords(limit=10_000)


@pytest.fixture
def journal() -> Iterator[InlineJournal]:
    opened = InlineJournal()
    yield opened
    opened.close()


class Hall:
    """An audit in virtual time."""

    def __init__(
        self, journal: InlineJournal, safe: Safe | None = None, *, keep_max: int = 100_000
    ) -> None:
        self.journal = journal
        self.safe = safe or RamSafe(Random(1))
        telling = Telling(Plain(), label=lambda who: "web", policy=lambda: "p1")
        self.audit = Audit(journal, self.safe, VirtualClock(), telling, keep_max=keep_max)
        self.book = AuditBook(journal, self.safe)
        self.calls = AuditCalls(self.audit, self.book)

    def write(self, path: str = "a.txt", verdict: Verdict = ALLOWS) -> None:
        """A decision, posted at once where it allows."""
        call = WriteFile(path=path, data=b"a secret content")
        self.audit.note(process(), act(call, Effect.CHANGE), call, verdict)
        if verdict is ALLOWS:
            self.audit.flush()

    def look(self, who: Process | None = None, owner: str = "travel") -> None:
        self.audit.note(who or process(), act(READ, Effect.READ, owner), READ, ALLOWS)

    async def told(self, call: AuditRecords = EVERYTHING) -> Sequence[AuditRecord]:
        return (await self.calls.list(INIT, call)).records

    async def state(self) -> AuditState:
        return await self.calls.verify(INIT, VerifyAudit())


@pytest.fixture
def hall(journal: InlineJournal) -> Hall:
    return Hall(journal)


def test_a_record_tells_who_did_what_and_why_and_no_content(
    hall: Hall, journal: InlineJournal
) -> None:
    async def body() -> None:
        await hall.audit.open()
        hall.write()
        (one,) = await hall.told()
        assert (one.number, one.pid, one.agent, one.verb, one.object) == (
            1,
            2,
            "travel",
            "file.write",
            "a.txt",
        )
        assert (one.decision, one.rule, one.policy, one.label, one.count) == (
            "allow",
            "agent",
            "p1",
            "web",
            1,
        )
        assert len(one.arguments) == 32
        pages = await journal.read(sql.AUDIT_PAGES_BACK, 10, 10)
        assert b"a secret content" not in b"".join(v for v in pages[0] if isinstance(v, bytes))
        await hall.audit.close()

    lived(body)


def test_other_arguments_have_another_hash(hall: Hall) -> None:
    async def body() -> None:
        await hall.audit.open()
        for data in (b"1", b"2", b"1"):
            call = WriteFile(path="a", data=data)
            hall.audit.note(process(), act(call, Effect.CHANGE), call, ALLOWS)
        first, second, third = [one.arguments for one in await hall.told()]
        assert first == third != second
        await hall.audit.close()

    lived(body)


def test_looks_at_ones_own_are_counted_and_everything_else_has_its_own_record(hall: Hall) -> None:
    async def body() -> None:
        await hall.audit.open()
        for _ in range(5):
            hall.look()
        hall.look(process(3, "travel"))
        hall.look(owner="shop")
        call = Generate(prompt="hi")
        for _ in range(2):
            hall.audit.note(process(), act(call, Effect.NONE), call, ALLOWS)
        hall.audit.note(process(), act(READ, Effect.READ), READ, DENIES)
        told = [(one.verb, one.object, one.decision, one.count) for one in await hall.told()]
        assert sorted(told) == [
            ("file.read", "", "allow", 1),
            ("file.read", "", "allow", 5),
            ("file.read", "a.txt", "deny", 1),
            ("file.read", "shop:a.txt", "allow", 1),
            ("llm.generate", "", "allow", 1),
            ("llm.generate", "", "allow", 1),
        ]
        await hall.audit.close()

    lived(body)


class Watching(InlineJournal):
    """Remembers what was posted, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def post(self, changes: Sequence[Change]) -> Awaitable[None]:
        self.names += [change.statement.name for change in changes]
        return super().post(changes)


def test_a_record_stands_before_its_effect_in_the_journals_order() -> None:

    async def body() -> None:
        watching = Watching()
        hall, desk = Hall(watching), Desk(watching)
        await hall.audit.open()
        work = desk.work()
        work.extend([Change(sql.META_PUT, ("effect", 1))])
        hall.audit.note(process(), act(WRITE, Effect.CHANGE), WRITE, ALLOWS)
        hall.audit.begins(act(WRITE, Effect.CHANGE), work)
        assert watching.names == []
        await work.commit("done")
        assert watching.names.index("audit_page_add") < watching.names.index("meta_put")
        await hall.audit.close()
        watching.close()

    lived(body)


def test_what_has_no_commit_is_durable_a_second_later(hall: Hall, journal: InlineJournal) -> None:
    async def body() -> None:
        await hall.audit.open()
        hall.look()
        assert await journal.read(sql.AUDIT_PAGES_BACK, 10, 10) == []
        await asyncio.sleep(1.5)
        assert len(await journal.read(sql.AUDIT_PAGES_BACK, 10, 10)) == 1
        assert hall.safe.head() == hall.audit.end
        await hall.audit.close()

    lived(body)


def test_a_full_page_does_not_wait(hall: Hall, journal: InlineJournal) -> None:
    async def body() -> None:
        await hall.audit.open()
        for _ in range(PAGE_MAX):
            hall.write(verdict=DENIES)
        (page,) = await journal.read(sql.AUDIT_PAGES_BACK, PAGE_MAX, 10)
        assert page[:2] == (1, PAGE_MAX)
        await hall.audit.close()

    lived(body)


def test_filters_are_exact_and_the_newest_come_first_where_asked(hall: Hall) -> None:
    async def body() -> None:
        await hall.audit.open()
        for number in range(600):
            hall.write(f"{number}", DENIES if number % 3 == 0 else ALLOWS)
        page = await hall.calls.list(INIT, AuditRecords(decision="deny", newest=True, limit=2))
        assert ([one.object for one in page.records], page.last) == (["597", "594"], 600)
        later = await hall.told(AuditRecords(start=300, limit=3))
        assert [one.number for one in later] == [300, 301, 302]
        assert await hall.told(AuditRecords(start=601)) == ()
        assert await hall.told(AuditRecords(agent="shop")) == ()
        assert len(await hall.told(AuditRecords(verb="file.write", limit=1_000))) == 600
        await hall.audit.close()

    lived(body)


def test_a_chain_goes_on_in_the_next_life_and_is_whole(journal: InlineJournal) -> None:
    async def body() -> None:
        safe = RamSafe(Random(1))
        for _ in range(3):
            hall = Hall(journal, safe)
            await hall.audit.open()
            hall.write()
            await hall.audit.close()
        state = await Hall(journal, safe).book.verify()
        assert (state.is_whole, state.records, state.first_wrong) == (True, 3, None)

    lived(body)


def test_a_killed_kernels_head_may_lag_and_nothing_is_wrong(journal: InlineJournal) -> None:
    async def body() -> None:
        safe = RamSafe(Random(1))
        hall = Hall(journal, safe)
        await hall.audit.open()
        hall.write()  # Durable at once; the head would follow within a second.
        later = Hall(journal, safe)
        await later.audit.open()
        later.write()
        assert (await later.state()).is_whole
        assert (await later.state()).records == 2
        await later.audit.close()
        await hall.audit._pulse.stop()

    lived(body)


TAMPER = {
    "edit": """
        UPDATE audit_pages
        SET body = CAST(replace(CAST(body AS TEXT), 'travel', 'honest') AS BLOB)
        WHERE first = 300""",
    "edit of the marks": "UPDATE audit_pages SET marks = zeroblob(8) WHERE first = 300",
    "deletion": "DELETE FROM audit_pages WHERE first = 300",
    "truncation": "DELETE FROM audit_pages WHERE first >= 300",
    "front": "DELETE FROM audit_pages WHERE first < 300",
    "everything": "DELETE FROM audit_pages",
    "reorder": """
        UPDATE audit_pages SET first = CASE first WHEN 300 THEN -1 ELSE 300 END
        WHERE first IN (300, 301)""",
    "no anchor at all": "INSERT INTO meta VALUES ('audit_anchor', 'nothing')",
    "another anchor": """
        INSERT INTO meta
        SELECT 'audit_anchor',
               CAST(zeroblob(6) || x'012b' || hash || zeroblob(32) AS BLOB)
        FROM audit_pages WHERE last = 299""",
}


@pytest.mark.parametrize("how", TAMPER)
@pytest.mark.parametrize("when", ["running", "between two kernels"])
def test_whoever_writes_in_the_journal_is_found_out(
    journal: InlineJournal, how: str, when: str
) -> None:
    async def body() -> None:
        safe = RamSafe(Random(1))
        hall = Hall(journal, safe)
        await hall.audit.open()
        for number in range(600):
            hall.write(str(number))
        await hall.audit.flushed()
        if when == "between two kernels":
            await hall.audit.close()
        await journal.post([Change(Statement("tamper", TAMPER[how]), ())])
        if when == "between two kernels":
            hall = Hall(journal, safe)
            await hall.audit.open()
            hall.write("later")
        state = await hall.state()
        assert not state.is_whole
        assert state.first_wrong in (1, 300)
        assert state.detail
        await hall.audit.close()

    lived(body)


def test_a_head_that_was_taken_away_is_seen_also_after_the_next_start(
    journal: InlineJournal, tmp_path: Path
) -> None:
    async def body() -> None:
        safe = FileSafe(tmp_path / "audit", Random(1))
        await _one_life(journal, safe)
        (tmp_path / "audit" / "head").unlink()
        assert not (await AuditBook(journal, safe).verify()).is_whole
        await _one_life(journal, safe)
        state = await AuditBook(journal, safe).verify()
        assert (state.is_whole, state.first_wrong) == (False, 2)

    asyncio.run(body())


def test_a_head_that_was_forged_does_not_count(journal: InlineJournal, tmp_path: Path) -> None:
    async def body() -> None:
        safe = FileSafe(tmp_path / "audit", Random(1))
        await _one_life(journal, safe)
        head = tmp_path / "audit" / "head"
        head.write_bytes(head.read_bytes().replace(b'"number":1', b'"number":0'))
        state = await AuditBook(journal, safe).verify()
        assert (state.is_whole, "head" in state.detail) == (False, True)

    asyncio.run(body())


def test_key_and_head_are_for_their_user_alone(tmp_path: Path) -> None:
    safe = FileSafe(tmp_path / "audit", Random(1))
    safe.key()
    safe.save(Place(1, bytes(32)))
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "audit").iterdir()] == [0o600] * 2
    assert safe.head() == Place(1, bytes(32))
    assert FileSafe(tmp_path / "audit", Random(2)).key() == safe.key()


async def _one_life(journal: InlineJournal, safe: Safe) -> None:
    hall = Hall(journal, safe)
    await hall.audit.open()
    hall.write()
    await hall.audit.close()


def test_old_records_are_let_go_and_the_rest_stays_whole(journal: InlineJournal) -> None:
    async def body() -> None:
        safe = RamSafe(Random(1))
        hall = Hall(journal, safe, keep_max=1_000)
        await hall.audit.open()
        for _ in range(80):
            for number in range(PAGE_MAX):
                hall.write(str(number), DENIES)
        await asyncio.sleep(3)
        state = await hall.state()
        assert state.is_whole
        assert 1_000 <= state.records < 1_000 + PAGE_MAX
        await hall.audit.close()
        first = (await hall.book.list(AuditRecords(limit=1))).records[0].number
        await journal.post(
            [Change(Statement("t", f"DELETE FROM audit_pages WHERE first={first}"), ())]
        )
        assert (await hall.book.verify()).first_wrong == first

    lived(body)


def test_a_page_that_the_disk_did_not_take_is_written_later_and_the_chain_is_whole(
    hall: Hall, journal: InlineJournal
) -> None:
    async def body() -> None:
        await hall.audit.open()
        journal.fail_next(NoSpace("full"))
        hall.write("1")
        hall.write("2")
        await asyncio.sleep(5)
        state = await hall.state()
        assert (state.is_whole, state.records) == (True, 2)
        await hall.audit.close()

    lived(body)


def test_the_head_is_never_ahead_of_what_is_durable(hall: Hall, journal: InlineJournal) -> None:
    async def body() -> None:
        await hall.audit.open()
        journal.fail_next(NoSpace("full"))
        journal.fail_next(NoSpace("full"))
        hall.write()
        await asyncio.sleep(1.5)
        assert hall.safe.head() == START
        await asyncio.sleep(3)
        assert hall.safe.head() == hall.audit.end != START
        await hall.audit.close()

    lived(body)


def test_nothing_is_done_where_the_audit_can_not_be_written(
    hall: Hall, journal: InlineJournal
) -> None:
    async def body() -> None:
        await hall.audit.open()
        for number in range(UNPOSTED_MAX + 1):
            journal.fail_next(NoSpace("full"))
            hall.write(str(number))
        journal.fail_next(NoSpace("full"))
        await asyncio.sleep(1.5)
        with pytest.raises(Busy, match="audit"):
            hall.write()
        await asyncio.sleep(5)
        hall.write()
        assert (await hall.state()).records == UNPOSTED_MAX + 2
        await hall.audit.close()

    lived(body)


def test_secrets_in_names_are_hidden(journal: InlineJournal) -> None:
    class Hiding:
        def text(self, text: str) -> str:
            return text.replace("hunter22", "[secret x]")

    async def body() -> None:
        audit = Audit(journal, RamSafe(Random(1)), VirtualClock(), Telling(Hiding()))
        await audit.open()
        for path in ("plain.txt", "hunter22.txt"):
            audit.note(process(), Act("file.write", "travel", path, Effect.CHANGE), WRITE, ALLOWS)
        await audit.close()
        records = (await AuditBook(journal, RamSafe(Random(1))).list(EVERYTHING)).records
        assert [one.object for one in records] == ["plain.txt", "[secret x].txt"]

    lived(body)


@pytest.mark.parametrize(
    ("last", "head", "after"),
    [
        (None, None, START),
        (Place(5, b"5"), Place(3, b"3"), Place(5, b"5")),  # killed before the head was written
        (Place(5, b"5"), Place(9, b"9"), Place(9, b"9")),  # the end was cut off
        (None, Place(9, b"9"), Place(9, b"9")),
        (Place(5, b"5"), None, Place(6, b"5")),  # the head was taken away
    ],
)
def test_numbers_that_are_missing_are_not_given_again(
    last: Place | None, head: Place | None, after: Place
) -> None:
    assert continued(last, head) == after


def test_what_leaves_the_system_does_not_wait_for_a_commit_to_be_told(hall: Hall) -> None:
    async def body() -> None:
        await hall.audit.open()
        for effect, call in ((Effect.OUTSIDE, SEND), (Effect.FINAL, CallTool(name="shop/buy"))):
            hall.audit.note(process(), act(call, effect), call, ALLOWS)
            hall.audit.begins(act(call, effect), Desk(hall.journal).work())
            assert len(await hall.journal.read(sql.AUDIT_PAGES_BACK, 10, 10)) == 1
            await hall.journal.post([Change(sql.AUDIT_PAGES_FORGET, (10,))])
        await hall.audit.close()

    lived(body)


def test_what_left_for_the_network_is_told_and_a_flood_of_refusals_in_sums(
    journal: InlineJournal,
) -> None:
    hall = Hall(journal)
    whose = Whose("travel", 7, "shop/fetch")

    def dial(target: str, *, is_allowed: bool, why: str = "") -> None:
        one = Dial(
            job="1", whose=whose, method="GET", target=target, is_allowed=is_allowed, why=why
        )
        hall.audit.dialled(one)

    async def body() -> None:
        await hall.audit.open()
        dial("example.org:443", is_allowed=True)
        for number in range(5_000):
            dial(f"h{number}.evil:80", is_allowed=False, why="not among the hosts")
        told = await hall.told()
        await hall.audit.close()
        assert (told[0].agent, told[0].pid, told[0].decision) == ("travel", 7, "allow")
        assert told[0].object == "example.org:443 by shop/fetch"
        assert (told[1].object, told[1].rule) == ("h0.evil:80 by shop/fetch", "not among the hosts")
        assert len(told) == PLACES_MAX + 1
        assert sum(one.count for one in told) == 5_001

    lived(body)
