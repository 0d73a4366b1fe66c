"""Numbers that are short enough to read, and colour where a person looks."""

import pytest

from aios.cli.paint import count, painted, share, size, span


def test_counts_are_whole_while_they_are_short() -> None:
    told = [count(one) for one in (0, 9_999, 10_000, 12_345, 999_999, 4_560_000, 3e9)]
    assert told == ["0", "9999", "10k", "12.3k", "1M", "4.56M", "3G"]


def test_sizes_are_in_powers_of_two() -> None:
    told = [size(one) for one in (0, 1_023, 1_024, 1_536, 1_023 << 10, 2 << 30, 5 << 40)]
    assert told == ["0B", "1023B", "1KiB", "1.5KiB", "1023KiB", "2GiB", "5TiB"]


def test_spans_have_two_units_at_most() -> None:
    told = [span(one) for one in (0.44, 12.9, 185, 7_800, 4 * 86_400 + 5)]
    assert told == ["0.4s", "12s", "3m05s", "2h10m", "4d"]


def test_a_share_of_nothing_is_none() -> None:
    assert (share(1, 3), share(1, 0)) == ("33%", "-")


def test_only_states_are_coloured_and_only_where_colours_are_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert painted("STATE", "running", "running ") == "running "
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert painted("STATE", "running", "running ") == "\x1b[32mrunning \x1b[0m"
    assert painted("NAME", "running", "running ") == "running "
    monkeypatch.setenv("NO_COLOR", "1")
    assert painted("STATE", "running", "running ") == "running "
