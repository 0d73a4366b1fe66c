"""The office: the same for a seed, a flood first, and nothing that pocket's tools cannot do."""

from aios.bench.workload import FLOOD, Size, office, tokens_at_once, tokens_longest
from aios.models.pocket import TOOLS

SIZE = Size(agents=9, flights=2, flight_errands=3, short_errands=2)


def test_a_seed_makes_the_same_office_and_another_seed_another() -> None:
    assert office(3, SIZE) == office(3, SIZE)
    assert office(3, SIZE) != office(4, SIZE)


def test_the_flood_is_there_first_and_has_several_long_answers_at_once() -> None:
    members = office(1, SIZE)
    flights = [member for member in members if member.family == FLOOD]
    assert list(members[:2]) == flights
    assert all(member.at_once > 1 and not member.is_short for member in flights)
    answers = [turn.answer for one in flights for task in one.errands for turn in task.turns]
    assert min(map(len, answers)) >= 280


def test_every_short_request_needs_a_tool_that_is_listed_and_works() -> None:
    short = [member for member in office(1, SIZE) if member.is_short]
    tasks = [task for member in short for task in member.errands]
    assert len(short) == 7
    assert all(turn.calls for task in tasks for turn in task.turns)
    assert all(set(task.tools) <= set(TOOLS) and not task.faults for task in tasks)


def test_agents_have_different_names_and_different_work() -> None:
    members = office(1, SIZE)
    assert len({member.name for member in members}) == len(members)
    assert len({str(member.errands) for member in members}) == len(members)


def test_only_the_longest_conversations_that_run_at_once_need_memory() -> None:
    members = office(1, SIZE)
    each = {member.name: tokens_at_once((member,), len) for member in members}
    assert tokens_at_once(members, len) == sum(each.values())
    short = next(member for member in members if member.is_short)
    assert each[short.name] == tokens_longest((short,), len)
