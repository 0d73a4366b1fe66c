"""Handlers of the model family: an engine more, or one less, while the kernel runs.

A loop that is added is in every table of the kernel at once; one that is removed is in none, and
whatever it had is answered before its engine ends.
"""

from collections.abc import Awaitable, Callable

from aios.cores.base import Core
from aios.errors import Busy, CoreFailed, InvalidArgument, NotFound, ShuttingDown, WrongState
from aios.journal.base import Work
from aios.kernel.cores import Cores
from aios.kernel.gate import Gate
from aios.kernel.llm_calls import LlmCalls, describe
from aios.kernel.process import Process
from aios.kernel.waits import Waits
from aios.syscalls import Ok
from aios.syscalls.llm import ModelInfo
from aios.syscalls.model import AddModel, RemoveModel

MODELS_MAX = 64
START_S = 1_800.0  # for an engine that loads its model
Launch = Callable[[AddModel, str], Awaitable[Core]]
"""Starts an engine for a model that is called by that name."""


class ModelCalls:
    """`launch` is None where a kernel can start no engine."""

    def __init__(
        self, launch: Launch | None, cores: Cores, models: LlmCalls, waits: Waits, gate: Gate
    ) -> None:
        self._launch = launch
        self._cores = cores
        self._models = models
        self._waits = waits
        self._gate = gate
        self._starting: set[str] = set()

    async def add(self, process: Process, call: AddModel, work: Work) -> ModelInfo:
        name = call.name or call.source.rstrip("/").rsplit("/", 1)[-1]
        if self._launch is None:
            raise WrongState("this kernel can start no engines")
        if "://" in call.source:
            raise InvalidArgument(
                f'expected "pocket", a folder of a model or a hub id, got {call.source!r}; '
                "no core speaks to an upstream yet"
            )
        if name in self._models.served or name in self._starting:
            raise InvalidArgument(f"a model {name!r} is served already; expected another name")
        if len(self._models.served) + len(self._starting) >= MODELS_MAX:
            raise Busy(f"{MODELS_MAX} models are served; expected one to be removed first")
        self._starting.add(name)
        key = ("engine of", name)
        try:
            # Admitted in the task that started it, so that no engine is left which nobody has.
            started = self._started(self._launch, call, name)
            return await self._waits.while_waiting(started, key, process.pid, START_S)
        finally:
            self._starting.discard(name)

    async def _started(self, launch: Launch, call: AddModel, name: str) -> ModelInfo:
        core = await launch(call, name)
        if self._gate.is_closed:
            await core.close()
            raise ShuttingDown("the kernel is stopping; it starts no engines")
        self._models.add(self._cores.add(core))
        return describe(core.traits)

    async def remove(self, process: Process, call: RemoveModel, work: Work) -> Ok:
        name, served = call.name, self._models.served
        if name not in served:
            raise NotFound(f"no model {name!r}; this kernel serves {', '.join(served)}")
        if name == served[0]:
            others = ", ".join(served[1:]) or "none"
            raise WrongState(f"{name!r} is the default model, which stays; others: {others}")
        for loop in self._models.remove(name):
            loop.retire(CoreFailed(f"the model {name!r} was removed"))
            await self._cores.remove(loop)
        return Ok()
