"""The kinds of agent that are AIOS's own, as `make five` runs them beside the frameworks."""

import pytest
from examples.five_kinds.run import OWN, played


def test_react_and_reflexion_run_side_by_side_as_processes_of_one_kernel(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answers = played(list(OWN))
    assert answers == dict.fromkeys(OWN, "The result is 5781.")
    pictures = [picture.splitlines() for picture in capsys.readouterr().out.split("$ aios ps")[1:]]
    rows = [line.split() for line in pictures[-1] if line.strip()]
    heading = next(row for row in rows if "NAME" in row)
    name, at = heading.index("NAME"), heading.index("CALLS")
    calls = {row[name]: row[at] for row in rows if len(row) > at}
    assert (calls["react"], calls["reflexion"]) == ("2", "5")  # two trials, and a reflection
