"""One reading of the machine: what its cores, its tiers and its agents show."""

import asyncio

from aios.sdk import Client
from aios.syscalls import Pause, Resume, Spawned
from aios.syscalls.kernel import AgentStats, CoreState, CoreStats, MachineStats, Stats
from aios.syscalls.memory import Write
from aios.testing.script import Script
from tests.cli.served import served
from tests.kernel.house import House, ask, house, lived, soon

ONE_LANE = Script(lanes=1, answer_tokens=(400, 400), context_tokens=1_000)


async def reading(home: House, token: str = "") -> MachineStats:
    return await home.kernel.call(token or home.kernel.token, Stats())


def of(found: MachineStats, agent: Spawned) -> AgentStats:
    return next(one for one in found.agents if one.pid == agent.pid)


def test_an_idle_machine_shows_its_core_and_its_first_process() -> None:
    async def main() -> None:
        async with house(ONE_LANE) as home:
            found = await reading(home)
        core: CoreStats = found.cores[0]
        assert (core.number, core.model, core.policy) == (0, ONE_LANE.model, "rr")
        assert (core.state, core.lanes, core.lanes_used) == (CoreState.UP, 1, 0)
        assert core.kv_used_tokens == core.produced_tokens == 0
        assert [one.name for one in found.agents] == ["init"]
        assert {(room.kind, room.tier) for room in found.rooms} >= {("snapshots", "ram")}

    lived(main)


def test_what_runs_and_what_waits_is_told_of_core_and_agents() -> None:
    async def main() -> None:
        async with house(ONE_LANE, policy="fifo") as home:
            first, second = await home.spawn("first"), await home.spawn("second")
            tasks = [
                asyncio.ensure_future(home.kernel.call(one.token, ask(tokens=400)))
                for one in (first, second)
            ]
            await soon(lambda: home.kernel.loops[0].tally.produced > 50)
            found = await reading(home)
            core, runs, waits = found.cores[0], of(found, first), of(found, second)
            assert (core.running, core.queued, core.lanes_used) == (1, 1, 1)
            assert runs.kv_tokens == core.kv_used_tokens > 50
            assert runs.completion_tokens == core.produced_tokens > 50
            assert (runs.running, runs.waiting, waits.running, waits.waiting) == (1, 0, 0, 1)
            assert waits.waited_s == core.longest_wait_s > 0
            assert waits.prompt_tokens == 0, "nobody has read it yet"
            assert core.wait_bound_tokens is not None
            await asyncio.gather(*tasks)
            found = await reading(home)
            assert of(found, second).completion_tokens > 0
            assert found.cores[0].kv_used_tokens == found.cores[0].lanes_used == 0

    lived(main)


def test_a_paused_agent_holds_no_kv_but_bytes_in_ram() -> None:
    async def main() -> None:
        async with house(ONE_LANE) as home:
            agent = await home.spawn()
            task = asyncio.ensure_future(home.kernel.call(agent.token, ask(tokens=400)))
            await soon(lambda: home.kernel.loops[0].tally.produced > 50)
            await home.kernel.call(home.kernel.token, Pause(pid=agent.pid))
            live = home.kernel.loops[0].live[0]
            await soon(lambda: live.stops_open == 0)
            found = await reading(home)
            row = of(found, agent)
            assert (row.kv_tokens, row.running, row.waiting) == (0, 0, 0)
            assert row.snapshot_ram_bytes == live.snapshot.bytes > 0  # type: ignore[union-attr]
            assert found.rooms[0].used_bytes == row.snapshot_ram_bytes
            assert (found.cores[0].blocked, found.cores[0].switches) == (1, 1)
            await home.kernel.call(home.kernel.token, Resume(pid=agent.pid))
            await task

    lived(main)


def test_an_engine_that_died_is_down_then_up_again_and_counted() -> None:
    async def main() -> None:
        async with house(ONE_LANE) as home:
            home.core.crash("told to")
            await soon(lambda: not home.kernel.loops[0].is_up)
            assert (await reading(home)).cores[0].state is CoreState.DOWN
            await soon(lambda: home.kernel.loops[0].is_up)
            core = (await reading(home)).cores[0]
            assert (core.state, core.restarts) == (CoreState.UP, 1)
            home.core.crash("for good", final=True)
            await soon(lambda: bool(home.kernel.loops[0].gone))
            core = (await reading(home)).cores[0]
            assert core.state is CoreState.GONE
            assert "for good" in core.remark

    lived(main)


def test_an_agent_sees_the_machine_and_of_the_agents_its_own() -> None:
    async def main() -> None:
        async with house(ONE_LANE) as home:
            await home.spawn("other")
            mine = await home.spawn("mine")
            found = await reading(home, mine.token)
            assert [one.name for one in found.agents] == ["mine"]
            assert len(found.cores) == 1
            few = await Client(home.kernel, home.kernel.token).stats(agents=False)
            assert few.agents == ()
            assert few.processes == 3

    lived(main)


def test_an_agent_s_memory_is_told_by_tier(tmp_path: object) -> None:
    async def main() -> None:
        from pathlib import Path

        async with served(Path(str(tmp_path))) as home:
            await home.call("ada", Write(name="plan", data=b"x" * 1_000))
            found = await home.kernel.call(home.first, Stats())
            ada = next(one for one in found.agents if one.agent == "ada")
            assert (ada.memory_ram_bytes, ada.memory_disk_bytes) == (1_000, 0)
            memory = next(room for room in found.rooms if room.kind == "memory")
            assert 1_000 <= memory.used_bytes <= 2_000

    asyncio.run(main())
