"""Which of several cores serves a call. Pure; knows names, numbers and loads, no core.

A process has a home among the cores of one model, where its prompts are likely cached. It leaves
it only while another core has clearly less to do, so neither caches nor balance are lost.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from aios.errors import NotFound

T = TypeVar("T")

AWAY_FROM_HOME = 4  # generations that home must have more than the least loaded core


class Pool(Generic[T]):
    """Cores by the name of their model, the default model first."""

    def __init__(self, cores: Mapping[str, Sequence[T]], load: Callable[[T], int]) -> None:
        assert cores, "a pool needs a model"
        assert all(cores.values()), "a model needs a core"
        self._cores = {model: tuple(members) for model, members in cores.items()}
        self._load = load

    @property
    def models(self) -> tuple[str, ...]:
        """Every model's name, the default one first."""
        return tuple(self._cores)

    def add(self, model: str, core: T) -> None:
        """A core more, of a model that there is or of a new one."""
        self._cores[model] = (*self._cores.get(model, ()), core)

    def remove(self, model: str) -> Sequence[T]:
        """The cores of a model, which picks none of them any more. The default model stays."""
        assert model != self.models[0], "calls that name no model need one"
        return self._cores.pop(model)

    def pick(self, model: str, pid: int) -> T:
        """The core for a call of process `pid`; the empty name is the default model's."""
        cores = self._cores.get(model or self.models[0])
        if cores is None:
            raise NotFound(f"no model {model!r}; this kernel serves {', '.join(self.models)}")
        home = cores[pid % len(cores)]
        least = min(cores, key=self._load)
        return least if self._load(home) > self._load(least) + AWAY_FROM_HOME else home
