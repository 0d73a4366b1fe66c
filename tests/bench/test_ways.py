"""The office under a kernel and on an engine alone, in virtual time, on a core that knows."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace
from random import Random

from aios.bench.engine import EngineAlone
from aios.bench.records import Ending, Run, Span
from aios.bench.site import Site
from aios.bench.ways import Watch, run_engine, run_kernel
from aios.bench.workload import Member
from aios.clock import LoopClock
from aios.scheduler import Fifo, Policy, RoundRobin
from aios.syscalls import Generate, Message
from aios.testing import NO_FAULTS, Faults, Script, ScriptedCore, ScriptedStore, run
from tests.bench.office import Knowing, site, small_office

Answer = Callable[[Generate], Message]


def core(where: Site, answer: Answer, faults: Faults = NO_FAULTS) -> ScriptedCore:
    script = Script(lanes=where.lanes, kv_tokens=where.kv_tokens)
    return ScriptedCore(
        script,
        clock=LoopClock(),
        rng=Random(1),
        store=ScriptedStore(),
        answer=answer,
        faults=faults,
    )


def under_kernel(where: Site, answer: Answer, policy: Callable[[], Policy]) -> Run:
    async def main(_: Random) -> Run:
        return await run_kernel(where, core(where, answer), policy, LoopClock(), Watch())

    return run(main)


def alone(where: Site, answer: Answer, faults: Faults = NO_FAULTS) -> Run:
    async def main(_: Random) -> Run:
        return await run_engine(where, core(where, answer, faults), LoopClock(), Watch())

    return run(main)


def right(found: Run) -> int:
    return sum(errand.right for errand in found.errands)


def overlaps(spans: tuple[Span, ...]) -> bool:
    ordered = sorted(spans, key=lambda one: (one.lane, one.start))
    pairs = itertools.pairwise(ordered)
    return any(a.lane == b.lane and a.end > b.start + 1e-9 for a, b in pairs)


def shrunk(call: Generate, members: tuple[Member, ...]) -> Message:
    """A model that is never quite right."""
    said = Knowing(members)(call)
    return said if said.tool_calls else Message(role="assistant", content=f"{said.content}!")


def test_every_task_of_the_office_is_done_right_under_both_policies() -> None:
    members = small_office()
    for policy in (Fifo, RoundRobin):
        found = under_kernel(site(members), Knowing(members), policy)
        assert right(found) == len(found.errands) == found.tasks


def test_a_wrong_answer_makes_its_task_wrong() -> None:
    members = small_office()
    found = under_kernel(site(members), lambda call: shrunk(call, members), Fifo)
    assert len(found.errands) == found.tasks
    assert right(found) == 0


def test_lanes_hold_one_call_at_a_time_and_no_more_lanes_are_used_than_there_are() -> None:
    members = small_office()
    found = under_kernel(site(members, lanes=3), Knowing(members), RoundRobin)
    assert {span.lane for span in found.spans} == {0, 1, 2}
    assert not overlaps(found.spans)


def test_round_robin_switches_and_spares_short_agents_the_flood() -> None:
    members = small_office()
    waits = {}
    policies: tuple[Callable[[], Policy], ...] = (Fifo, lambda: RoundRobin(slice_tokens=32))
    for policy in policies:
        found = under_kernel(site(members, lanes=2), Knowing(members), policy)
        short = [one for one in found.calls if one.agent in found.short]
        waits[policy().name] = max(one.first_wait_s for one in short)
    assert waits["rr"] < 0.6 * waits["fifo"]


def test_a_run_that_is_cut_keeps_what_was_open() -> None:
    members = small_office()
    where = replace(site(members), seconds=0.5)
    found = under_kernel(where, Knowing(members), Fifo)
    assert found.ended - found.started == 0.5
    assert len(found.errands) < found.tasks
    assert any(call.answered is None for call in found.calls)
    assert any(span.ending is Ending.CUT for span in found.spans)


def test_an_engine_alone_serves_the_same_office() -> None:
    members = small_office()
    found = alone(site(members), Knowing(members))
    assert right(found) == found.tasks


def test_an_engine_alone_goes_on_with_what_it_had_to_take_off() -> None:
    members = small_office()
    found = alone(site(members), Knowing(members), Faults(suspend=0.05))
    assert right(found) == found.tasks


def test_an_engine_alone_lets_nobody_pass_one_that_was_taken_off() -> None:
    finished: list[str] = []

    async def ask(engine: EngineAlone, text: str) -> None:
        await engine.call("", Generate(messages=(Message(role="user", content=text),)))
        finished.append(text)

    async def main(_: Random) -> None:
        where = site((), lanes=1)
        engine = EngineAlone(
            core(where, lambda call: Message("assistant", "word " * 20), Faults(suspend=0.3)),
            LoopClock(),
        )
        await asyncio.gather(*(ask(engine, text) for text in "abcd"))
        await engine.close()

    run(main)
    assert finished == ["a", "b", "c", "d"]


def test_a_call_waits_from_its_submission_to_its_answer() -> None:
    members = small_office()
    found = alone(site(members), Knowing(members))
    total = sum((call.answered or 0) - call.submitted for call in found.calls)
    assert len(found.calls) > found.tasks
    assert total > 0
