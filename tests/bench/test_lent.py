"""A lent core: run after run on one core, each of which closes what it was given."""

from random import Random

from aios.bench.lent import Lent
from aios.bench.ways import Watch, run_engine, run_kernel
from aios.clock import LoopClock
from aios.scheduler import Fifo
from aios.testing import Script, ScriptedCore, ScriptedStore, run
from tests.bench.office import Knowing, site, small_office


def test_one_core_serves_a_kernel_an_engine_alone_and_a_kernel_again() -> None:
    where = site(small_office())

    async def main(_: Random) -> list[int]:
        core = ScriptedCore(
            Script(lanes=where.lanes, kv_tokens=where.kv_tokens),
            clock=LoopClock(),
            rng=Random(1),
            store=ScriptedStore(),
            answer=Knowing(where.office),
        )
        runs = [
            await run_kernel(where, Lent(core), Fifo, LoopClock(), Watch()),
            await run_engine(where, Lent(core), LoopClock(), Watch()),
            await run_kernel(where, Lent(core), Fifo, LoopClock(), Watch()),
        ]
        await core.close()
        return [sum(errand.right for errand in one.errands) for one in runs]

    assert run(main) == [where.tasks] * 3
