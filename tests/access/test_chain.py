"""Whatever is done to the audit's pages is found, and the first wrong record is named."""

import random
from collections.abc import Sequence

import msgspec
import pytest

from aios.access.chain import (
    FIRST,
    START,
    Check,
    Entry,
    Page,
    Place,
    Wrong,
    end_of,
    entries_of,
    page_of,
)

KEY = b"k" * 32
EACH = 256
COUNT = 10_000
encode = msgspec.msgpack.Encoder().encode


def entry(number: int) -> Entry:
    return Entry(
        at=float(number),
        pid=2,
        agent="travel",
        verb="file.write",
        object=f"{number}.txt",
        decision="allow",
        rule="agent",
        policy="p",
        label="",
        arguments="a" * 16,
        count=1,
    )


def pages_of(count: int = COUNT, key: bytes = KEY) -> list[Page]:
    made, at = [], START
    for first in range(1, count + 1, EACH):
        entries = [entry(number) for number in range(first, min(first + EACH, count + 1))]
        made.append(page_of(entries, at, key))
        at = end_of(made[-1])
    return made


PAGES = pages_of()
HEAD = end_of(PAGES[-1])


def found(pages: Sequence[Page], head: Place = HEAD, anchor: Place = START) -> Wrong | None:
    check = Check(KEY, anchor, head)
    for page in pages:
        if (wrong := check.page(page)) is not None:
            return wrong
    return check.end()


def with_entries(page: Page, entries: Sequence[object]) -> Page:
    return page._replace(body=encode([msgspec.Raw(encode(one)) for one in entries]))


def test_ten_thousand_records_are_whole() -> None:
    assert found(PAGES) is None
    assert sum(len(entries_of(page)) for page in PAGES) == COUNT


def test_an_edit_of_any_record_is_found_and_named() -> None:
    fields = Entry.__struct_fields__
    rng = random.Random(1)
    missed = []
    for page in PAGES:
        entries = entries_of(page)
        anchor = Place(page.first - 1, page.before)
        for at, one in enumerate(entries):
            field = rng.choice(fields)
            value = getattr(one, field)
            other = value + 1 if isinstance(value, int | float) else value + "x"
            changed = msgspec.structs.replace(one, **{field: other})
            edited = with_entries(page, (*entries[:at], changed, *entries[at + 1 :]))
            wrong = found([edited], anchor=anchor, head=end_of(page))
            if wrong is None or wrong.number != page.first + at:
                missed.append((page.first + at, field, wrong))
    assert missed == []


def test_a_deleted_record_is_found_wherever_it_stood() -> None:
    missed = []
    for page in PAGES:
        entries = entries_of(page)
        anchor = Place(page.first - 1, page.before)
        for at in range(len(entries)):
            cut = with_entries(page, entries[:at] + entries[at + 1 :])
            if found([cut], anchor=anchor, head=end_of(page)) is None:
                missed.append(page.first + at)
    assert missed == []


def test_two_records_that_changed_places_are_found() -> None:
    missed = []
    for page in PAGES:
        entries = list(entries_of(page))
        anchor = Place(page.first - 1, page.before)
        for at in range(len(entries) - 1):
            swapped = [*entries]
            swapped[at], swapped[at + 1] = swapped[at + 1], swapped[at]
            wrong = found([with_entries(page, swapped)], anchor=anchor, head=end_of(page))
            if wrong is None or wrong.number != page.first + at:
                missed.append(page.first + at)
    assert missed == []


@pytest.mark.parametrize("at", range(len(PAGES)))
def test_a_page_that_is_gone_is_found_and_its_first_record_named(at: int) -> None:
    wrong = found(PAGES[:at] + PAGES[at + 1 :])
    assert wrong is not None
    assert wrong.number == PAGES[at].first


@pytest.mark.parametrize("at", range(len(PAGES)))
def test_an_end_that_was_cut_off_is_found_by_the_head(at: int) -> None:
    wrong = found(PAGES[:at])
    assert wrong is not None
    assert wrong.number == PAGES[at].first
    assert "head" in wrong.detail


@pytest.mark.parametrize("at", range(len(PAGES) - 1))
def test_pages_that_changed_places_are_found(at: int) -> None:
    wrong = found([*PAGES[:at], PAGES[at + 1], PAGES[at], *PAGES[at + 2 :]])
    assert wrong is not None
    assert wrong.number == PAGES[at].first


def test_a_cut_within_the_last_page_is_found_though_the_page_is_made_anew_without_the_key() -> None:
    last = PAGES[-1]
    after = Place(last.first - 1, last.before)
    forged = page_of(entries_of(last)[:-1], after, b"another key" * 3)
    wrong = found([*PAGES[:-1], forged])
    assert wrong is not None
    assert "key" in wrong.detail


def test_a_whole_chain_made_anew_without_the_key_is_found_at_its_first_record() -> None:
    wrong = found(pages_of(key=b"forged" * 6))
    assert wrong is not None
    assert wrong.number == 1


def test_pages_of_two_lives_with_one_key_do_not_fit_together() -> None:
    other = page_of([entry(7)] * EACH, end_of(PAGES[1]), KEY)
    wrong = found([*PAGES[:2], other, *PAGES[3:]])
    assert wrong is not None
    assert wrong.number == PAGES[3].first


def test_records_after_the_head_need_the_seal_too() -> None:
    early = end_of(PAGES[3])
    assert found(PAGES, head=early) is None
    forged = page_of([entry(1)], HEAD, b"x" * 32)
    assert found([*PAGES, forged], head=early) is not None


def test_a_head_of_another_chain_is_found() -> None:
    wrong = found(PAGES, head=Place(700, FIRST))
    assert wrong is not None
    assert (wrong.number, "head" in wrong.detail) == (700, True)


def test_a_body_that_is_no_list_of_records_is_found() -> None:
    for body in (b"", b"\xc1", encode([1, 2]), encode("x"), encode([])):
        wrong = found([PAGES[0]._replace(body=body)], head=end_of(PAGES[0]))
        assert wrong is not None


def test_marks_and_hash_that_were_changed_along_with_the_record_do_not_help() -> None:
    page = PAGES[0]
    forged = page_of([entry(10**6), *entries_of(page)[1:]], START, b"no key" * 6)
    assert found([forged._replace(seal=page.seal), *PAGES[1:]]) is not None


def test_after_old_pages_were_let_go_the_rest_is_whole_from_the_anchor_on() -> None:
    anchor = end_of(PAGES[4])
    assert found(PAGES[5:], anchor=anchor) is None
    wrong = found(PAGES[6:], anchor=anchor)
    assert wrong is not None
    assert wrong.number == PAGES[5].first
