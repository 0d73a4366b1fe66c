"""Asking a human: what a yes allows, and what it does not; over leaving, time and restarts."""

import asyncio
from collections.abc import Awaitable, Iterator, Sequence

import pytest

from aios.access.base import Effect
from aios.errors import (
    Busy,
    Cancelled,
    Denied,
    InvalidArgument,
    NoSpace,
    NotFound,
    ShuttingDown,
    WrongState,
)
from aios.journal import statements as sql
from aios.journal.base import Change, Work
from aios.kernel.guard.approval import EACH_MAX, FORGET_AFTER
from aios.syscalls.approval import Answer, Approvals
from aios.syscalls.file import Delete
from aios.syscalls.process import Exited, ProcessState
from aios.telemetry.events import Answered, Asked
from aios.testing.journal import InlineJournal
from tests.kernel.guard.desk import ASKS, INIT, PATIENCE_S, Desk, act, process, settled
from tests.kernel.house import lived


@pytest.fixture
def journal() -> Iterator[InlineJournal]:
    opened = InlineJournal()
    yield opened
    opened.close()


@pytest.fixture
def desk(journal: InlineJournal) -> Desk:
    return Desk(journal)


def test_an_act_waits_until_a_human_says_yes(desk: Desk) -> None:
    async def body() -> None:
        asking = desk.ask()
        await settled()
        assert desk.waits.of(2) == [("approval", 1)]
        question = desk.pending()[0]
        assert (question.agent, question.verb, question.object) == (
            "travel",
            "file.delete",
            "a.txt",
        )
        assert "a.txt" in question.arguments
        assert "bin" in question.consequence
        assert question.reason == "final acts"
        await desk.answer(yes=True)
        assert (await asking).number == 1

    lived(body)


def test_a_no_denies_and_its_note_is_told(desk: Desk) -> None:
    async def body() -> None:
        asking = desk.ask()
        await settled()
        await desk.answer(yes=False, note="it is needed")
        with pytest.raises(Denied, match=r"init said no to file\.delete on 'a.txt': it is needed"):
            await asking

    lived(body)


def test_who_asks_again_after_a_no_is_denied_without_asking_the_human_again(desk: Desk) -> None:
    async def body() -> None:
        asking = desk.ask()
        await settled()
        await desk.answer(yes=False)
        for again in (asking, desk.ask(), desk.ask()):
            with pytest.raises(Denied, match="said no"):
                await again
        assert desk.pending() == []
        await asyncio.sleep(PATIENCE_S)
        desk.ask()
        await settled()
        assert len(desk.pending()) == 1

    lived(body)


def test_no_answer_in_time_is_a_no_that_says_so(desk: Desk) -> None:
    async def body() -> None:
        with pytest.raises(Denied, match="nobody answered in time"):
            await desk.ask()
        assert asyncio.get_running_loop().time() == pytest.approx(PATIENCE_S)
        with pytest.raises(WrongState, match="expired"):
            await desk.answer(yes=True, number=1)

    lived(body)


def test_where_nobody_can_be_asked_the_answer_is_no_at_once(journal: InlineJournal) -> None:
    async def body() -> None:
        desk = Desk(journal, patience_s=0)
        with pytest.raises(Denied, match="nobody can be asked"):
            await desk.ask()
        assert await kept(journal) == []

    lived(body)


def test_an_answer_to_something_else_than_was_looked_at_is_void(desk: Desk) -> None:
    async def body() -> None:
        desk.ask()
        await settled()
        with pytest.raises(InvalidArgument, match="digest"):
            await desk.answer(yes=True, digest="0" * 64)
        assert len(desk.pending()) == 1

    lived(body)


def test_a_second_answer_is_a_wrong_state(desk: Desk) -> None:
    async def body() -> None:
        asking = desk.ask()
        await settled()
        answers = await asyncio.gather(
            desk.answer(yes=True, number=1), desk.answer(yes=False, number=1),
            return_exceptions=True,
        )  # fmt: skip
        assert [type(one) for one in answers if isinstance(one, Exception)] == [WrongState]
        with pytest.raises(WrongState):
            await desk.answer(yes=False, number=1)
        await asking

    lived(body)


def test_a_yes_to_one_act_allows_no_other(desk: Desk) -> None:
    async def body() -> None:
        asking = desk.ask(Delete(path="a.txt"))
        await settled()
        await desk.answer(yes=True)
        await asking
        for other in (
            desk.ask(Delete(path="b.txt")),
            desk.ask(Delete(path="a.txt"), who=process(3, "shop")),
            desk.ask(Delete(path="a.txt"), who=process(4, "travel/flights")),
        ):
            await settled()
            assert not other.done()

    lived(body)


def test_a_yes_is_used_once_by_two_equal_acts_at_the_same_time(desk: Desk) -> None:
    async def body() -> None:
        works = [desk.work(), desk.work()]
        asking = [desk.ask(work=work) for work in works]
        await settled()
        assert len(desk.pending()) == 1
        await desk.answer(yes=True)
        await settled()
        assert [one.done() for one in asking] == [True, False]
        assert len(desk.pending()) == 1

    lived(body)


def test_a_yes_is_used_up_in_the_commit_of_the_act(desk: Desk, journal: InlineJournal) -> None:
    async def body() -> None:
        work = desk.work()
        asking = desk.ask(work=work)
        await settled()
        await desk.answer(yes=True)
        consent = await asking
        assert next(iter(await kept(journal))) == Answer.YES
        await work.commit("done")
        consent.settle("done")
        assert await kept(journal) == [Answer.USED]
        desk.ask()
        await settled()
        assert len(desk.pending()) == 1

    lived(body)


@pytest.mark.parametrize("has_key", [False, True])
def test_an_act_that_failed_leaves_its_yes_to_the_same_act(desk: Desk, has_key: bool) -> None:
    async def body() -> None:
        work = desk.work()
        asking = desk.ask(work=work)
        await settled()
        await desk.answer(yes=True)
        consent = await asking
        error = NotFound("no file")
        if has_key:
            await work.fail(error)
        consent.settle(error)
        await desk.ask()
        with pytest.raises(WrongState, match="yes"):
            await desk.answer(yes=False, number=1)

    lived(body)


def test_a_commit_that_failed_gives_the_yes_to_nobody_again(
    desk: Desk, journal: InlineJournal
) -> None:
    async def body() -> None:
        work = desk.work()
        asking = desk.ask(work=work)
        await settled()
        await desk.answer(yes=True)
        consent = await asking
        journal.fail_next(NoSpace("full"))
        with pytest.raises(NoSpace):
            await work.commit("done")
        consent.settle(NoSpace("full"))
        desk.ask()
        await settled()
        assert len(desk.pending()) == 1

    lived(body)


def test_a_caller_who_leaves_takes_the_question_along(desk: Desk) -> None:
    async def body() -> None:
        asking = desk.ask()
        await settled()
        asking.cancel()
        await settled()
        assert desk.pending() == []
        assert desk.approver.book.get(1).answer is Answer.GONE
        with pytest.raises(WrongState, match="gone"):
            await desk.answer(yes=True, number=1)

    lived(body)


def test_a_process_that_ends_takes_its_question_along(desk: Desk) -> None:
    async def body() -> None:
        asking = desk.ask()
        await settled()
        desk.waits.fail(2, Cancelled("ended"))
        with pytest.raises(Cancelled):
            await asking
        assert desk.approver.book.get(1).answer is Answer.GONE

    lived(body)


def test_a_process_that_ends_before_it_waits_takes_its_question_along(desk: Desk) -> None:
    async def body() -> None:
        ends = process()
        asking = desk.ask(who=ends)
        ends.end(Exited(ends.pid, ProcessState.KILLED))
        desk.waits.fail(ends.pid, Cancelled("ended"))  # Nobody waits yet.
        async with asyncio.timeout(60):
            with pytest.raises(Cancelled):
                await asking
        assert desk.approver.book.get(1).answer is Answer.GONE

    lived(body)


def test_one_of_two_who_leaves_leaves_the_question_to_the_other(desk: Desk) -> None:
    async def body() -> None:
        first, second = desk.ask(), desk.ask(who=process(3, "travel"))
        await settled()
        first.cancel()
        await settled()
        await desk.answer(yes=True)
        assert (await second).number == 1

    lived(body)


def test_after_a_restart_the_same_act_finds_its_question(
    desk: Desk, journal: InlineJournal
) -> None:
    async def body() -> None:
        asking = desk.ask()
        await settled()
        desk.is_stopping = True
        desk.waits.close(ShuttingDown("stopping"))
        with pytest.raises(ShuttingDown):
            await asking
        later = await again(journal)
        asking = later.ask()
        await settled()
        assert [one.id for one in later.pending()] == [1]
        await later.answer(yes=True)
        await asking

    lived(body)


def test_who_asks_as_the_kernel_stops_is_told_and_the_question_stands(
    desk: Desk, journal: InlineJournal
) -> None:
    async def body() -> None:
        asking = desk.ask()
        desk.is_stopping = True
        desk.waits.close(ShuttingDown("stopping"))  # Nobody waits yet.
        with pytest.raises(ShuttingDown):
            await asking
        assert [one.id for one in (await again(journal)).pending()] == [1]

    lived(body)


@pytest.mark.parametrize("yes", [True, False])
def test_after_a_kill_the_same_act_finds_the_answer_that_came_before(
    desk: Desk, journal: InlineJournal, yes: bool
) -> None:
    async def body() -> None:
        desk.ask()
        await settled()
        await desk.answer(yes=yes)
        later = await again(journal)  # The first life's caller never came to use it.
        asking = later.ask()
        if yes:
            await asking
        else:
            with pytest.raises(Denied, match="said no"):
                await asking
        assert later.pending() == []

    lived(body)


def test_after_a_kill_a_yes_that_was_used_is_not_there(desk: Desk, journal: InlineJournal) -> None:
    async def body() -> None:
        work = desk.work()
        asking = desk.ask(work=work)
        await settled()
        await desk.answer(yes=True)
        await asking
        await work.commit("done")
        later = await again(journal)
        later.ask()
        await settled()
        assert [one.id for one in later.pending()] == [2]

    lived(body)


def test_after_a_restart_too_late_is_still_too_late(desk: Desk, journal: InlineJournal) -> None:
    async def body() -> None:
        desk.ask()
        await settled()
        later = Desk(journal)
        await asyncio.sleep(PATIENCE_S + 1)
        await later.approver.load()
        assert later.pending() == []
        assert later.approver.book.get(1).answer is Answer.EXPIRED

    lived(body)


def test_a_question_is_durable_before_anybody_sees_it(desk: Desk, journal: InlineJournal) -> None:
    async def body() -> None:
        journal.fail_next(NoSpace("full"))
        with pytest.raises(NoSpace):
            await desk.ask()
        assert desk.pending() == []
        assert not [one for one in desk.events if isinstance(one, Asked)]

    lived(body)


class Slow(InlineJournal):
    """A journal whose disk takes its time: what is posted is durable once a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.may_end = asyncio.Event()

    def post(self, changes: Sequence[Change]) -> Awaitable[None]:
        posted = super().post(changes)

        async def durable() -> None:
            await self.may_end.wait()
            await posted

        return asyncio.ensure_future(durable())  # Awaited or not.


def test_a_question_that_is_not_durable_yet_is_shown_to_nobody() -> None:
    async def body() -> None:
        slow = Slow()
        desk = Desk(slow)
        asking = desk.ask()
        await settled()
        assert desk.pending() == []
        assert (await desk.calls.list(INIT, Approvals(all=True))).approvals == ()
        slow.may_end.set()
        await settled()
        assert [one.id for one in desk.pending()] == [1]
        await desk.answer(yes=True)
        await asking

    lived(body)


@pytest.mark.parametrize("is_stopping", [True, False])
def test_who_is_ended_before_the_question_is_durable_takes_it_along_unless_the_kernel_stops(
    is_stopping: bool,
) -> None:
    async def body() -> None:
        slow = Slow()
        desk = Desk(slow)
        asking = desk.ask()
        await settled()
        desk.is_stopping = is_stopping
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        slow.may_end.set()
        assert [one.id for one in (await again(slow)).pending()] == [1] * is_stopping

    lived(body)


def test_an_answer_that_could_not_be_kept_is_none(desk: Desk, journal: InlineJournal) -> None:
    async def body() -> None:
        asking = desk.ask()
        await settled()
        journal.fail_next(NoSpace("full"))
        with pytest.raises(NoSpace):
            await desk.answer(yes=True)
        await settled()
        assert not asking.done()
        await desk.answer(yes=True)
        await asking

    lived(body)


def test_nobody_answers_its_own_question_or_that_of_its_kin(desk: Desk) -> None:
    async def body() -> None:
        desk.ask(who=process(7, "travel/flights"))
        await settled()
        kin = ("travel", "travel/flights", "travel/flights/seats")
        for who in (process(5, one) for one in kin):
            with pytest.raises(Denied, match="does not work for it"):
                await desk.answer(yes=True, who=who)
        await desk.answer(yes=True, who=process(6, "travel-office"))

    lived(body)


def test_questions_are_bounded_for_each_agent(desk: Desk) -> None:
    async def body() -> None:
        for number in range(EACH_MAX):
            desk.ask(Delete(path=f"{number}.txt"))
        await settled()
        with pytest.raises(Busy, match="wait for an approval"):
            await desk.ask(Delete(path="one more.txt"))
        desk.ask(Delete(path="x"), who=process(3, "shop"))
        await settled()
        assert len(desk.pending()) == EACH_MAX + 1

    lived(body)


def test_what_is_long_over_leaves_the_journal(desk: Desk, journal: InlineJournal) -> None:
    async def body() -> None:
        await gone(desk)
        await gone(desk)
        assert len(await journal.read(sql.APPROVALS_ALL)) == 2
        desk.approver.book.last = FORGET_AFTER
        desk.ask(Delete(path="b"))
        await settled()
        assert await kept(journal) == [Answer.GONE, Answer.PENDING]

    lived(body)


def test_the_list_shows_what_waits_and_with_all_what_is_over(desk: Desk) -> None:
    async def body() -> None:
        await gone(desk)
        desk.ask(Delete(path="b"))
        await settled()
        who = process(1, "init")
        shown = [one.object for one in (await desk.calls.list(who, Approvals())).approvals]
        everything = (await desk.calls.list(who, Approvals(all=True))).approvals
        assert shown == ["b"]
        assert [one.id for one in everything] == sorted(one.id for one in everything)
        assert Answer.GONE in {one.answer for one in everything}

    lived(body)


def test_the_bus_hears_of_questions_and_answers(desk: Desk) -> None:
    async def body() -> None:
        asking = desk.ask()
        await settled()
        await desk.answer(yes=True)
        await asking
        asked = [one for one in desk.events if isinstance(one, Asked)]
        answered = [one for one in desk.events if isinstance(one, Answered)]
        assert [(one.approval, one.agent, one.verb) for one in asked] == [
            (1, "travel", "file.delete")
        ]
        assert [(one.approval, one.answer) for one in answered] == [(1, "yes")]

    lived(body)


def test_without_a_journal_a_human_is_asked_all_the_same(desk: Desk) -> None:
    async def body() -> None:
        call = Delete(path="a.txt")
        asking = asyncio.ensure_future(
            desk.approver.ask(process(), act(call, Effect.FINAL), call, ASKS, Work(None))
        )
        await settled()
        await desk.answer(yes=True)
        assert (await asking).number == 1

    lived(body)


async def gone(desk: Desk) -> None:
    """One who asks, and leaves."""
    asking = desk.ask()
    await settled()
    asking.cancel()
    await settled()


async def again(journal: InlineJournal) -> Desk:
    """The next kernel's desk."""
    desk = Desk(journal)
    await desk.approver.load()
    return desk


async def kept(journal: InlineJournal) -> list[Answer]:
    """What the journal says became of each question."""
    desk = await again(journal)
    return [one.answer for one in desk.approver.book.all()]
