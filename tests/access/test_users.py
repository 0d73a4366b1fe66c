"""Whose an agent is, as the policy's table of users says."""

import pytest

from aios.access.policy import parse
from aios.errors import InvalidArgument


def test_an_agent_and_all_below_it_are_their_users() -> None:
    policy = parse('[users]\ntravel = "ann"\n', "policy.toml")
    found = [policy.user_account(agent) for agent in ("travel", "travel/flights", "traveller")]
    assert found == ["@ann", "@ann", ""]


def test_a_tree_is_named_by_its_first_agent_alone() -> None:
    with pytest.raises(InvalidArgument, match="line 1: users: "):
        parse('[users]\n"travel/flights" = "ann"\n', "policy.toml")
