"""A real kernel around a core without a model, to measure the kernel and nothing else.

And a fresh process to do it in.
"""

from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from random import Random
from typing import Any

from aios.clock import LoopClock
from aios.cores.base import Core
from aios.kernel import Kernel
from aios.kernel.environment import Environment
from aios.kernel.hosting import Program
from aios.scheduler import RoundRobin
from aios.testing import INSTANT, ScriptedCore, ScriptedStore


def scripted_core(seed: int) -> Core:
    """A core of no latency whose answers are known beforehand."""
    return ScriptedCore(INSTANT, clock=LoopClock(), rng=Random(seed), store=ScriptedStore())


def scripted_kernel(
    seed: int, programs: Mapping[str, Program] | None = None, core: Core | None = None
) -> Kernel:
    """A kernel with the default policy, to be used as `async with`."""
    return Kernel(
        [core or scripted_core(seed)],
        RoundRobin,
        programs=programs,
        environment=Environment(random=Random(seed)),
    )


def apart(work: Any, *how: Any, limit_s: float) -> Any:
    """Run in a fresh process, so that nothing measured inherits another's memory."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *how).result(timeout=limit_s)
