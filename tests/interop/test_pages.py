"""The guide's pages on frameworks hold the programs that are tried, to the letter."""

from pathlib import Path

import pytest

from tests.interop.homes import HERE, table
from tests.interop.pages import PLACE, pages

PAGES = dict(pages())


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.stem))
def test_a_page_is_what_the_programs_generate(path: Path) -> None:
    assert path.read_text() == PAGES[path], "run `python -m tests.interop.pages`"


def test_no_page_is_of_a_framework_that_is_not_tried() -> None:
    assert set(PLACE.glob("*.md")) == PAGES.keys()


def test_every_program_is_tried() -> None:
    tried = {program for framework in table().values() for program in framework.programs}
    assert {path.stem for path in (HERE / "programs").glob("*.py")} == tried


def test_every_requirement_has_an_exact_version_or_a_bound() -> None:
    wanted = [one for framework in table().values() for one in framework.requires]
    assert [one for one in wanted if "==" not in one and "<" not in one] == []
