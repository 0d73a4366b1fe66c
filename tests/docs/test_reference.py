"""The reference pages say what the code says."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parent.parent.parent / "docs"


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["syscalls.md", "errors.md"])
def test_a_reference_page_is_what_the_code_generates(name: str) -> None:
    page = (DOCS / "reference" / name).read_text()
    assert page == generator().PAGES[name](), "run `python docs/generate.py`"
