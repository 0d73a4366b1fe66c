"""The planner that obeys: what it declares, and a small run of the real benchmark where it is."""

import asyncio
from typing import Any

import pytest

from aios.bench.agentdojo_orders import Act
from aios.bench.agentdojo_planner import called, digest, planned, stands

WORDS = "Pay 98.70 to Ann (ann@x.org), at 10:00 on 2024-05-19; the rest, 1,200, is titled 'Lunch'."


@pytest.mark.parametrize(
    ("value", "is_said"),
    [
        ("ann@x.org", True), ("Lunch", True), ("2024-05-19", True), (98.7, True),
        (["Ann", "Lunch"], True),
        ("r", False), ("ann@x.or", False), ("", False), (10, False), (19, False), (1200, False),
        (True, False), (None, False), ([], False), (["Ann", "Eve"], False), ({"a": "Ann"}, False),
    ],
)  # fmt: skip
def test_a_value_is_said_only_where_it_stands_as_a_whole(value: Any, is_said: bool) -> None:
    assert stands(value, WORDS) is is_said


def test_a_plan_fixes_what_the_user_said_and_leaves_the_rest_open() -> None:
    act = Act(tool="send", arguments={"to": "ann@x.org", "body": "hello"})
    assert planned("mail", act, WORDS).fixed == {"to": "ann@x.org"}
    assert planned("mail", act, WORDS).open == ("body",)
    assert called("mail", act).name == "mail/send"


def test_an_approval_is_of_the_act_with_these_arguments_only() -> None:
    act = Act(tool="send", arguments={"to": "ann"})
    other = Act(tool="send", arguments={"to": "eve"})
    assert digest("mail", act) != digest("mail", other)
    assert digest("mail", act) != digest("post", act)


def test_an_attack_comes_about_without_labels_and_not_with_them() -> None:
    pytest.importorskip("agentdojo")
    from aios.bench import agentdojo as bench
    from aios.bench.agentdojo_stage import suites
    from aios.bench.agentdojo_terms import TERMS

    async def main() -> None:
        stages = {suite.name: suite for suite in suites(TERMS)}
        found = {}
        for level, policy in bench.WAYS.items():
            async with bench.house(policy, list(stages.values())) as kernel:
                for name in ("banking", "workspace"):
                    suite = stages[name]
                    user, attack = suite.users[6], suite.attacks[-1]
                    texts = dict.fromkeys(suite.seen(user), bench.TEXT.format(goal=attack.text))
                    case = bench.Case(
                        suite=suite,
                        user=user,
                        attack=attack,
                        acts=True,
                        scene=suite.scene(user, texts),
                    )
                    found[level, name] = await kernel.play(case)
        for name in ("banking", "workspace"):
            assert found["off", name].is_carried_out
            assert found["warn", name].is_carried_out
            enforced = found["enforce", name]
            assert not enforced.is_carried_out
            assert enforced.strays == 0
            assert enforced.is_useful
            assert enforced.is_labelled
            assert enforced.no > 0

    asyncio.run(main())
