"""The books: lanes and KV of one core."""

from hypothesis import given, settings
from hypothesis import strategies as st

from aios.context.snapshot import Tier
from aios.scheduler.base import JobId, Machine, Work
from aios.scheduler.ledger import Ledger, Place
from tests.scheduler.facts import job

MACHINE = Machine(lanes=4, kv_tokens=256, block_tokens=16)


def ledger(*prompts: int, ahead_tokens: int = 0) -> Ledger:
    """Books with jobs `g0`, `g1`, ... that wait."""
    books = Ledger(ahead_tokens)
    books.enter(MACHINE)
    for number, prompt in enumerate(prompts):
        books.add(job(f"g{number}", prompt=prompt))
    return books


A, B = JobId("g0"), JobId("g1")


def test_a_start_books_the_prompt_and_two_blocks_for_each_branch() -> None:
    books = ledger(17)
    books.add(job("g1", prompt=17, branches=3))
    books.start(A)
    assert books.booked == 32 + 32
    books.start(B)
    assert books.booked == 64 + 32 + 96
    assert books.lanes == 4


def test_a_longer_look_ahead_is_rounded_up() -> None:
    books = ledger(16, ahead_tokens=50)
    books.start(A)
    assert books.booked == 16 + 64


def test_a_booking_grows_only_when_less_than_a_block_is_left() -> None:
    books = ledger(16)
    books.start(A)
    for kv, booked in ((16, 48), (32, 48), (48, 64), (32, 64)):
        books.served(A, Work(prefilled=0, produced=1, kv_tokens=kv))
        assert books.booked == booked


def test_rest_keeps_the_kv_and_frees_the_lanes() -> None:
    books = ledger(16)
    books.start(A)
    books.served(A, Work(prefilled=16, produced=0, kv_tokens=16))
    assert books.freed_by_rest(A) == 16
    books.preempt(A, Tier.DEVICE)
    assert (books.lanes, books.booked) == (0, 32)
    books.evict(A)
    assert (books.lanes, books.booked) == (0, 0)


def test_a_late_report_corrects_the_booking_of_one_that_rests() -> None:
    books = ledger(16)
    books.start(A)
    books.preempt(A, Tier.DEVICE)
    books.served(A, Work(prefilled=0, produced=20, kv_tokens=48))
    assert books.booked == 64


def test_a_job_larger_than_the_kv_fits_alone_and_nobody_beside_it() -> None:
    books = ledger(250, 16)
    assert books.has_kv(A)
    books.start(A)
    assert not books.has_kv(B)
    assert not books.is_overfull
    books.remove(A)
    assert books.has_kv(B)
    books.start(B)
    books.add(job("g0", prompt=250))
    assert not books.has_kv(A)


def test_a_job_restarts_with_what_it_held_and_not_with_its_prompt() -> None:
    books = ledger(16, 16)
    books.start(A)
    books.served(A, Work(prefilled=16, produced=150, kv_tokens=176))
    books.preempt(A, Tier.RAM)
    books.start(B)
    assert books.booked == 48
    assert books.has_kv(A)
    books.start(A)
    assert books.booked == 48 + 176 + 32
    assert not books.is_overfull


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["start", "device", "ram", "evict", "grow", "lose", "remove"]),
            st.integers(0, 5),
            st.integers(0, 200),
        )
    )
)
def test_totals_are_the_sums_of_the_pages(steps: list[tuple[str, int, int]]) -> None:
    books = ledger(*(20 * (number + 1) for number in range(6)))
    for what, number, tokens in steps:
        name = JobId(f"g{number}")
        account = books.find(name)
        if account is None:
            continue
        if what == "start" and account.place is not Place.RUNNING:
            books.start(name)
        elif what in ("device", "ram") and account.place is Place.RUNNING:
            books.preempt(name, Tier(what))
        elif what == "evict" and account.place is Place.RESTING:
            books.evict(name)
        elif what == "grow":
            books.served(name, Work(prefilled=0, produced=1, kv_tokens=tokens))
        elif what == "lose":
            books.lost(name)
        elif what == "remove":
            books.remove(name)
        pages = [page for page in map(books.find, map(JobId, all_names())) if page is not None]
        running = [page for page in pages if page.place is Place.RUNNING]
        assert books.booked == sum(page.booked for page in pages)
        assert books.lanes == sum(page.job.branches for page in running)
        assert books.holders == sum(page.place is not Place.WAITING for page in pages)
        assert all((page.booked == 0) == (page.place is Place.WAITING) for page in pages)
        assert all(page.booked % MACHINE.block_tokens == 0 for page in pages)


def all_names() -> list[str]:
    return [f"g{number}" for number in range(6)]
