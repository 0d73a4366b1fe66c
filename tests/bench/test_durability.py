"""The benchmark of durability: a store that keeps its word passes, every kind of liar is caught."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random

import msgspec
import pytest

from aios.bench import durability
from aios.bench.durability import Size, measured
from aios.bench.durability_cuts import cut
from aios.bench.durability_flips import NOTICED, Outcome, flip_bits
from aios.bench.durability_kills import kill
from aios.bench.durability_restart import build, measure
from aios.bench.table import quiet
from aios.syscalls import Send, memory
from aios.testing.crowd import Crowd, programs
from aios.testing.homes import kernel_in, scripted
from aios.testing.judge import DOUBLED, LOST, Finding, Judge
from aios.testing.ledger import Entry, Ledger
from aios.testing.outside import Outside
from aios.testing.steps import ALL, Kind, step
from aios.testing.victim import SLOW_ENOUGH
from tests.journal.liars import Forgetful, Hasty

CLIENTS = 3
TINY = Size(
    load_s=0.6,
    family_s=0.6,
    jobs=1,
    kills_each=1,
    cuts_each=2,
    flips_each=1,
    agents=5,
    notes_each=2,
    restarts=1,
)


def test_killed_kernels_lose_and_double_nothing() -> None:
    toll = kill(4, seed=1)
    assert (toll.kills, toll.lost, toll.doubled) == (4, (), ())
    assert toll.judged >= 1
    assert toll.acknowledged > 24


def test_a_journal_that_acknowledges_before_it_commits_is_seen_to_lose() -> None:
    assert kill(3, seed=2, wrap=Hasty).lost


def test_a_journal_that_forgets_keys_is_seen_to_double_effects() -> None:
    assert kill(3, seed=3, wrap=Forgetful).doubled


def test_power_cuts_are_survived_and_a_journal_that_lies_is_caught() -> None:
    honest = cut(20, seed=1)
    assert (honest.cuts, honest.ok, honest.wrong) == (20, 20, ())
    assert cut(20, seed=1, wrap=Hasty).ok < 20


def test_flipped_bits_are_noticed_everywhere() -> None:
    found = flip_bits(2, seed=1)
    assert set(found.outcomes) == {"database", "log", "blob", "snapshot"}
    assert found.count(*NOTICED) + found.count(Outcome.HARMLESS) == 8
    assert found.outcomes["snapshot"] == {"recomputed": 2}
    assert found.unnoticed == ()


Spoil = Callable[[Crowd], object]


def judged(tmp_path: Path, spoil: Spoil, outside: Outside | None = None) -> set[Finding]:
    """What is found in a kernel that did all its steps, once somebody has tampered with things."""

    async def life() -> set[Finding]:
        world = outside or Outside()
        core = scripted(SLOW_ENOUGH)
        async with kernel_in(tmp_path / "home", programs=programs(world), core=core) as kernel:
            crowd = Crowd(kernel, Ledger(), CLIENTS)
            await crowd.resume()
            await crowd.go_on(len(ALL) + 2)
            done = spoil(crowd)
            if asyncio.iscoroutine(done):
                await done
            return await Judge(crowd, world, SLOW_ENOUGH, Random(0)).findings(is_last=True)

    return asyncio.run(life())


def test_the_judge_finds_nothing_where_everything_is_as_it_was_told(tmp_path: Path) -> None:
    assert judged(tmp_path, lambda crowd: None) == set()


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind not in (Kind.RECEIVE, Kind.END)])
def test_the_judge_misses_a_step_of_every_kind_that_was_told_and_not_done(
    tmp_path: Path, kind: Kind
) -> None:
    def pretend(crowd: Crowd) -> None:
        number = crowd.ledger.next_of(0)
        while step(0, number, ALL).kind is not kind:
            number += 1
        crowd.ledger.note(Entry(0, number, 99 if kind is Kind.WORKER else ""))

    assert LOST in {one.fault for one in judged(tmp_path, pretend)}


def test_the_judge_sees_an_append_that_was_done_twice(tmp_path: Path) -> None:
    async def again(crowd: Crowd) -> None:
        call = memory.Append(name="log", data=b"0.0;")
        await crowd.kernel.call(crowd.born[0].token, call)

    assert Finding(DOUBLED, "append 0.0") in judged(tmp_path, again)


def test_the_judge_sees_a_letter_that_comes_twice(tmp_path: Path) -> None:
    async def again(crowd: Crowd) -> None:
        await crowd.kernel.call(crowd.born[0].token, Send(pid=crowd.born[1].pid, body="0.1"))

    assert Finding(DOUBLED, "letter 0.1") in judged(tmp_path, again)


def test_the_judge_sees_a_tool_that_acted_twice(tmp_path: Path) -> None:
    outside = Outside(acts=["0.10", "0.10"])
    assert Finding(DOUBLED, "act 0.10") in judged(tmp_path, lambda crowd: None, outside)


def test_a_small_home_opens_in_a_new_process_and_answers(tmp_path: Path) -> None:
    found = measure(build(tmp_path / "home", 1, agents=3, notes_each=2))
    assert (found.agents, found.notes) == (3, 6)
    assert list(found.parts)[:2] == ["python and imports", "journal, rooms, processes"]
    assert found.restart_s == pytest.approx(sum(found.parts.values()))


def test_the_report_has_the_documented_fields() -> None:
    found = msgspec.to_builtins(measured(TINY, 0, quiet).result)
    loads = ["p50_ms", "p99_ms", "per_s"]
    assert list(found["clients_100"]) == list(found["clients_1000"]) == loads
    assert list(found)[2:] == [
        "kills", "acked_lost", "double_effects", "bit_flips", "bit_flips_noticed", "power_cuts",
        "power_cuts_ok", "restart_s",
    ]  # fmt: skip
    assert (found["kills"], found["power_cuts"], found["power_cuts_ok"]) == (1, 2, 2)
    assert found["acked_lost"] == found["double_effects"] == 0


def test_a_quick_run_has_as_many_of_each_as_was_promised() -> None:
    size = durability.QUICK
    assert size.jobs * size.kills_each >= 100
    assert size.jobs * size.cuts_each >= 200
    assert size.jobs * size.flips_each * 4 >= 200
    assert (size.agents, size.agents * size.notes_each) == (10_000, 100_000)
