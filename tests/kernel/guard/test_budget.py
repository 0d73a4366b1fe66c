"""Budgets at the gate: held before, settled after, waited for; over overlaps, errors and kills."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from aios.access.base import Effect
from aios.access.policy import Policy
from aios.cores.base import Exactness, Traits
from aios.errors import (
    Cancelled,
    DeadlineExceeded,
    NotFound,
    OutcomeUnknown,
    QuotaExceeded,
    ShuttingDown,
    WrongState,
)
from aios.kernel.guard.budget import Budgets, CallHold, GenerationHold
from aios.kernel.guard.budget_calls import BudgetCalls
from aios.kernel.process import Process
from aios.syscalls import budget as calls
from aios.syscalls import process as processes
from aios.syscalls.base import Syscall
from aios.syscalls.budget import Budget, Resource, SetBudget, TopUp
from aios.syscalls.file import Create, Edit, ReadFile, Transaction, WriteFile
from aios.syscalls.llm import Completion, Timing, Usage
from aios.syscalls.memory import Append
from aios.syscalls.process import Exit, Exited, ProcessState, Send, WhoAmI
from aios.syscalls.tool import CallTool, CallTools
from aios.telemetry.events import BudgetLow, BudgetShort
from aios.testing.journal import InlineJournal
from tests.kernel.guard.desk import INIT, Desk, act, process, settled
from tests.kernel.house import lived

R = Resource
SEND = Send(pid=3, body="hi")
TRAITS = Traits(
    model="m",
    exactness=Exactness.BITWISE,
    kv_export=True,
    beam=False,
    lanes=2,
    context_tokens=100,
    kv_tokens=1_000,
    block_tokens=16,
    fingerprint="f",
    device="cpu",
    price_in=0.25,
    price_out=0.5,
)


@pytest.fixture
def journal() -> Iterator[InlineJournal]:
    opened = InlineJournal()
    yield opened
    opened.close()


class Bench:
    """Budgets on a desk."""

    def __init__(
        self, journal: InlineJournal, payer: Callable[[str], str] = lambda agent: ""
    ) -> None:
        self.desk = Desk(journal)
        self.prices = {"shop/buy": 3.0}
        self.budgets = Budgets(
            self.desk.means, prices=lambda tool: self.prices.get(tool, 0.0), payer=payer
        )
        self.calls = BudgetCalls(self.budgets, self.desk.means.clock)

    async def limit(self, account: str, resource: Resource, limit: float | None) -> Budget:
        call = SetBudget(account=account, resource=resource, limit=limit)
        return await self.calls.set(INIT, call, self.desk.work())

    async def top_up(self, account: str, resource: Resource, amount: float) -> Budget:
        call = TopUp(account=account, resource=resource, amount=amount)
        return await self.calls.top_up(INIT, call, self.desk.work())

    def hold(
        self, call: Syscall[Any], effect: Effect = Effect.CHANGE, who: Process | None = None
    ) -> CallHold | Awaitable[CallHold] | None:
        who = who or process()
        return self.budgets.hold(who, act(call, effect, who.agent), call)

    def held(self, call: Syscall[Any] = SEND, who: Process | None = None) -> CallHold:
        got = self.hold(call, who=who)
        assert isinstance(got, CallHold)
        return got

    def generation(self, prompt: int, most: int) -> GenerationHold:
        got = self.budgets.generation(process(), TRAITS, prompt, most)
        assert isinstance(got, GenerationHold)
        return got

    def waiting(self, call: Syscall[Any] = SEND, who: Process | None = None) -> Any:
        got = self.hold(call, who=who)
        assert not isinstance(got, CallHold)
        assert got is not None

        async def later() -> CallHold:
            return await got

        return asyncio.ensure_future(later())

    async def of(self, account: str = "") -> dict[tuple[str, Resource], Budget]:
        listed = await self.calls.list(INIT, calls.Budgets(account=account))
        return {(one.account, one.resource): one for one in listed.budgets}

    async def spent(self, account: str, resource: Resource) -> float:
        return (await self.of())[account, resource].spent


@pytest.fixture
def bench(journal: InlineJournal) -> Bench:
    return Bench(journal)


def test_where_nothing_is_limited_nothing_is_held(bench: Bench) -> None:
    async def body() -> None:
        assert bench.hold(SEND) is None
        await bench.limit("shop", R.CALLS, 5)
        assert bench.hold(SEND) is None

    lived(body)


def test_calls_are_counted_in_every_account_of_the_chain(journal: InlineJournal) -> None:
    async def body() -> None:
        bench = Bench(journal, payer=Policy(users={"travel": "ann"}).user_account)
        for account in ("travel/flights", "travel", "@ann", "@all"):
            await bench.limit(account, R.CALLS, 10)
        bench.held(who=process(2, "travel/flights")).settle("done")
        bench.held(who=process(3, "travel")).settle("done")
        bench.held(who=process(4, "shop")).settle("done")
        spent = {account: one.spent for (account, _), one in (await bench.of()).items()}
        assert spent == {"travel/flights": 1, "travel": 2, "@ann": 2, "@all": 3}

    lived(body)


@pytest.mark.parametrize(
    ("call", "effect"),
    [
        (ReadFile(path="a"), Effect.READ),
        (WhoAmI(), Effect.READ),
        (Exit(), Effect.CHANGE),
        (processes.Receive(), Effect.CHANGE),
        (TopUp(account="travel", resource=R.CALLS, amount=1), Effect.FINAL),
    ],
)
def test_own_looks_and_steering_are_not_counted_even_at_the_limit(
    bench: Bench, call: Syscall[Any], effect: Effect
) -> None:
    async def body() -> None:
        await bench.limit("travel", R.CALLS, 0)
        assert bench.hold(call, effect) is None

    lived(body)


def test_a_look_at_what_is_anothers_is_counted(bench: Bench) -> None:
    async def body() -> None:
        await bench.limit("travel", R.CALLS, 1)
        call = ReadFile(path="a")
        got = bench.budgets.hold(process(), act(call, Effect.READ, "shop"), call)
        assert isinstance(got, CallHold)

    lived(body)


@pytest.mark.parametrize(
    ("call", "size"),
    [
        (Create(path="a", data=b"12345"), 5),
        (WriteFile(path="a", data=b"123"), 3),
        (Append(name="b", data=b"12"), 2),
        (Edit(path="a", old="x", new="ä"), 2),
        (Transaction(steps=(Create(path="a", data=b"1"), WriteFile(path="b", data=b"22"))), 3),
    ],
)
def test_bytes_are_those_that_a_call_brings_along(
    bench: Bench, call: Syscall[Any], size: int
) -> None:
    async def body() -> None:
        await bench.limit("travel", R.BYTES, 100)
        bench.held(call).settle("done")
        assert await bench.spent("travel", R.BYTES) == size

    lived(body)


def test_a_call_that_failed_was_a_call_and_wrote_nothing(bench: Bench) -> None:
    async def body() -> None:
        await bench.limit("travel", R.BYTES, 100)
        await bench.limit("travel", R.CALLS, 100)
        bench.held(Create(path="a", data=b"12345")).settle(NotFound("x"))
        assert await bench.spent("travel", R.BYTES) == 0
        assert await bench.spent("travel", R.CALLS) == 1

    lived(body)


def test_tools_cost_their_price_and_a_batch_all_of_them(bench: Bench) -> None:
    async def body() -> None:
        await bench.limit("travel", R.MONEY, 10)
        buy = CallTool(name="shop/buy")
        bench.held(buy).settle("done")
        bench.held(CallTools(calls=(buy, CallTool(name="free"), buy))).settle("done")
        assert await bench.spent("travel", R.MONEY) == 9

    lived(body)


@pytest.mark.parametrize(
    ("error", "spent"),
    [
        (NotFound("no such tool"), 0),
        (DeadlineExceeded("slow"), 3),
        (OutcomeUnknown("who knows"), 3),
        (asyncio.CancelledError(), 3),
    ],
)
def test_a_tool_that_may_have_run_is_paid(bench: Bench, error: BaseException, spent: int) -> None:
    async def body() -> None:
        await bench.limit("travel", R.MONEY, 10)
        bench.held(CallTool(name="shop/buy")).settle(error)
        assert await bench.spent("travel", R.MONEY) == spent

    lived(body)


def test_at_its_limit_a_call_waits_and_goes_on_when_topped_up(bench: Bench) -> None:
    async def body() -> None:
        await bench.limit("travel", R.CALLS, 1)
        bench.held().settle("done")
        waiting = bench.waiting()
        await settled()
        assert bench.desk.waits.of(2) == [("budget", "calls", "of", "travel")]
        assert (await bench.of())["travel", R.CALLS].waiting == 1
        await bench.top_up("travel", R.CALLS, 1)
        (await waiting).settle("done")
        assert await bench.spent("travel", R.CALLS) == 2
        assert [one.account for one in bench.desk.events if isinstance(one, BudgetShort)] == [
            "travel"
        ]

    lived(body)


def test_what_another_call_gives_back_lets_a_waiting_one_go_on(bench: Bench) -> None:
    async def body() -> None:
        await bench.limit("travel", R.BYTES, 10)
        first = bench.held(Create(path="a", data=b"12345678"))
        waiting = bench.waiting(Create(path="b", data=b"12345678"))
        await settled()
        assert not waiting.done()
        first.settle(NotFound("x"))
        await waiting

    lived(body)


def test_more_than_the_whole_limit_is_refused_at_once_and_says_what_would_do(bench: Bench) -> None:
    async def body() -> None:
        await bench.limit("travel", R.BYTES, 4)
        with pytest.raises(QuotaExceeded, match=r"5 bytes .* limit of account 'travel' is 4") as no:
            bench.hold(Create(path="a", data=b"12345"))
        assert "aios budgets top-up travel bytes 1" in no.value.message

    lived(body)


def test_a_limit_that_becomes_too_low_refuses_those_who_wait(bench: Bench) -> None:
    async def body() -> None:
        await bench.limit("travel", R.BYTES, 10)
        bench.held(Create(path="a", data=b"12345678"))
        waiting = bench.waiting(Create(path="b", data=b"12345678"))
        await settled()
        await bench.limit("travel", R.BYTES, 2)
        with pytest.raises(QuotaExceeded):
            await waiting

    lived(body)


def test_a_limit_that_goes_away_lets_those_who_wait_go_on(bench: Bench) -> None:
    async def body() -> None:
        await bench.limit("travel", R.CALLS, 1)
        bench.held()
        waiting = bench.waiting()
        await settled()
        await bench.limit("travel", R.CALLS, None)
        await waiting

    lived(body)


def test_a_process_that_ends_waits_no_more(bench: Bench) -> None:
    async def body() -> None:
        await bench.limit("travel", R.CALLS, 1)
        bench.held()
        waiting = bench.waiting()
        await settled()
        bench.desk.waits.fail(2, Cancelled("ended"))
        with pytest.raises(Cancelled):
            await waiting
        assert (await bench.of())["travel", R.CALLS].held == 1

    lived(body)


def test_who_is_woken_for_too_little_as_the_kernel_stops_waits_no_more(bench: Bench) -> None:
    async def body() -> None:
        await bench.limit("travel", R.BYTES, 8)
        bench.held(Create(path="a", data=b"12345678"))
        waiting = bench.waiting(Create(path="b", data=b"12345678"))
        await settled()
        await bench.top_up("travel", R.BYTES, 1)
        bench.desk.waits.close(ShuttingDown("stopping"))  # It is awake, and waits for nothing.
        async with asyncio.timeout(60):
            with pytest.raises(ShuttingDown):
                await waiting
        assert (await bench.of())["travel", R.BYTES].waiting == 0

    lived(body)


def test_who_is_woken_for_too_little_as_its_process_ends_waits_no_more(bench: Bench) -> None:
    async def body() -> None:
        ends = process()
        await bench.limit("travel", R.BYTES, 8)
        bench.held(Create(path="a", data=b"12345678"))
        waiting = bench.waiting(Create(path="b", data=b"12345678"), who=ends)
        await settled()
        await bench.top_up("travel", R.BYTES, 1)
        ends.end(Exited(ends.pid, ProcessState.KILLED))
        bench.desk.waits.fail(ends.pid, Cancelled("ended"))
        async with asyncio.timeout(60):
            with pytest.raises(Cancelled):
                await waiting

    lived(body)


def test_a_hundred_calls_at_the_same_time_spend_no_more_than_there_is(bench: Bench) -> None:
    async def body() -> None:
        await bench.limit("@all", R.CALLS, 30)
        done = 0

        async def caller(number: int) -> None:
            nonlocal done
            who = process(10 + number, f"agent-{number % 7}/child")
            got = bench.hold(SEND, who=who)
            assert got is not None
            hold = got if isinstance(got, CallHold) else await got
            await asyncio.sleep(number % 3)
            hold.settle("done")
            done += 1

        tasks = [asyncio.ensure_future(caller(number)) for number in range(100)]
        await asyncio.sleep(60)
        assert done == 30
        line = (await bench.of())["@all", R.CALLS]
        assert (line.spent, line.held, line.waiting) == (30, 0, 70)
        await bench.top_up("@all", R.CALLS, 70)
        await asyncio.gather(*tasks)
        assert done == 100

    lived(body)


def test_time_runs_from_the_first_call_and_a_top_up_buys_time_from_then_on(bench: Bench) -> None:
    async def body() -> None:
        await bench.limit("travel", R.SECONDS, 60)
        await asyncio.sleep(1_000)
        assert bench.hold(ReadFile(path="a"), Effect.READ) is None
        await asyncio.sleep(59)
        assert bench.hold(SEND) is None
        await asyncio.sleep(1)
        waiting = bench.waiting(ReadFile(path="a"))
        await asyncio.sleep(500)
        assert bench.desk.waits.of(2) == [("budget", "seconds", "of", "travel")]
        assert await bench.spent("travel", R.SECONDS) == 60
        await bench.top_up("travel", R.SECONDS, 30)
        await waiting
        await asyncio.sleep(29)
        assert bench.hold(SEND) is None

    lived(body)


def test_a_warning_is_told_once_at_four_fifths(bench: Bench) -> None:
    async def body() -> None:
        await bench.limit("travel", R.CALLS, 5)
        for _ in range(5):
            bench.held().settle("done")
        low = [one for one in bench.desk.events if isinstance(one, BudgetLow)]
        assert [(one.account, one.limit, one.used) for one in low] == [("travel", 5, 4)]

    lived(body)


def test_a_generation_holds_all_it_may_take_and_spends_what_it_took(bench: Bench) -> None:
    async def body() -> None:
        await bench.limit("travel", R.TOKENS, 100)
        await bench.limit("travel", R.MONEY, 100)
        hold = bench.generation(20, 40)
        lines = await bench.of()
        assert (lines["travel", R.TOKENS].held, lines["travel", R.MONEY].held) == (60, 25)
        hold.spend(20, 10)
        hold.spend(20, 40)
        lines = await bench.of()
        assert (lines["travel", R.TOKENS].held, lines["travel", R.TOKENS].spent) == (0, 30)
        assert lines["travel", R.MONEY].spent == 10

    lived(body)


def test_a_generation_waits_for_tokens_and_is_refused_what_it_can_never_have(
    bench: Bench,
) -> None:
    async def body() -> None:
        await bench.limit("travel", R.TOKENS, 100)
        first = bench.generation(60, 20)
        later = bench.budgets.generation(process(), TRAITS, 60, 20)
        assert isinstance(later, Awaitable)
        waiting = asyncio.ensure_future(_of(later))
        await settled()
        assert bench.desk.waits.of(2) == [("budget", "tokens", "of", "travel")]
        first.spend(10, 10)
        (await waiting).spend(60, 0)
        assert await bench.spent("travel", R.TOKENS) == 80
        with pytest.raises(QuotaExceeded):
            bench.budgets.generation(process(), TRAITS, 81, 20)

    lived(body)


async def _of(later: Awaitable[GenerationHold]) -> GenerationHold:
    return await later


def test_what_was_spent_is_in_the_calls_own_commit(bench: Bench, journal: InlineJournal) -> None:
    async def body() -> None:
        await bench.limit("travel", R.CALLS, 10)
        hold = bench.held()
        work = bench.desk.work()
        hold.bind(work)
        await work.commit("done")
        hold.settle("done")
        assert await reborn(journal, "travel", R.CALLS) == 1

    lived(body)


def test_a_generations_tokens_are_in_the_commit_of_its_completion(
    bench: Bench, journal: InlineJournal
) -> None:
    async def body() -> None:
        await bench.limit("travel", R.TOKENS, 100)
        hold = bench.generation(20, 40)
        work = bench.desk.work()
        hold.bind(work)
        await work.commit(completion(20, 7))
        assert await reborn(journal, "travel", R.TOKENS) == 27

    lived(body)


def test_what_has_no_commit_of_its_own_is_durable_a_second_later(
    bench: Bench, journal: InlineJournal
) -> None:
    async def body() -> None:
        await bench.budgets.open()
        await bench.limit("travel", R.CALLS, 10)
        bench.held().settle("done")
        assert await reborn(journal, "travel", R.CALLS) == 0
        await asyncio.sleep(1.5)
        assert await reborn(journal, "travel", R.CALLS) == 1
        bench.held().settle("done")
        await bench.budgets.close()
        assert await reborn(journal, "travel", R.CALLS) == 2

    lived(body)


def test_limits_top_ups_and_time_survive_a_kill(bench: Bench, journal: InlineJournal) -> None:
    async def body() -> None:
        await bench.budgets.open()
        await bench.limit("travel", R.MONEY, 0.1)
        await bench.top_up("travel", R.MONEY, 0.2)
        await bench.limit("travel", R.SECONDS, 60)
        await bench.limit("travel", R.BYTES, None)
        bench.hold(SEND)
        await asyncio.sleep(20)
        later = Bench(journal)
        await later.budgets.open()
        lines = await later.of()
        assert lines["travel", R.MONEY].limit == pytest.approx(0.3)
        assert lines["travel", R.BYTES].limit is None
        assert lines["travel", R.SECONDS].spent == pytest.approx(20)
        await later.budgets.close()
        await bench.budgets.close()

    lived(body)


def test_a_top_up_needs_a_limit(bench: Bench) -> None:
    async def body() -> None:
        with pytest.raises(NotFound, match=r"budget\.set"):
            await bench.top_up("travel", R.CALLS, 1)
        await bench.limit("travel", R.CALLS, None)
        with pytest.raises(WrongState, match="has none"):
            await bench.top_up("travel", R.CALLS, 1)

    lived(body)


def test_an_agent_sees_its_own_accounts_and_those_below(bench: Bench) -> None:
    async def body() -> None:
        for account in ("travel", "travel/flights", "travels", "@all"):
            await bench.limit(account, R.CALLS, 1)
        seen = await bench.calls.list(process(), calls.Budgets())
        assert [one.account for one in seen.budgets] == ["travel", "travel/flights"]
        everything = await bench.calls.list(INIT, calls.Budgets())
        assert len(everything.budgets) == 4

    lived(body)


def test_a_hold_that_is_never_awaited_leaves_nothing_behind(bench: Bench) -> None:
    async def body() -> None:
        await bench.limit("travel", R.CALLS, 1)
        bench.held()
        assert bench.hold(SEND) is not None
        await settled()
        assert len(bench.desk.waits) == 0

    lived(body)


async def reborn(journal: InlineJournal, account: str, resource: Resource) -> float:
    """What a kernel that starts now takes for spent."""
    later = Bench(journal)
    await later.budgets.open()
    spent = await later.spent(account, resource)
    await later.budgets.close()
    return spent


def completion(prompt: int, produced: int) -> Completion:
    return Completion(
        call_id="c",
        model="m",
        choices=(),
        usage=Usage(prompt_tokens=prompt, completion_tokens=produced, cached_tokens=0),
        timing=Timing(wait_s=0, run_s=0, total_s=0, switches=0),
        seed=1,
        exact=True,
    )
