"""The kinds of agent that are AIOS's own, as `make five` runs them beside the frameworks."""

import pytest

from examples.five_kinds.run import OWN, played


def test_react_and_reflexion_run_side_by_side_as_processes_of_one_kernel(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answers = played(list(OWN))
    assert answers == dict.fromkeys(OWN, "The result is 5781.")
    pictures = capsys.readouterr().out.split("$ aios ps")[1:]
    assert all(name in picture for picture in pictures for name in OWN)
    assert any(picture.count("llm ") == len(OWN) for picture in pictures), pictures
