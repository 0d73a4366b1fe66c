"""The models that the kernel serves, looked up now and then, and what a client's name means."""

from aios.kernel import Kernel
from aios.server.wire.aliases import Aliases
from aios.syscalls import ModelList, Models

FRESH_S = 1.0


class Served:
    """Remembers the list for a second: most requests name the same model."""

    def __init__(self, kernel: Kernel, aliases: Aliases) -> None:
        self._kernel = kernel
        self.aliases = aliases
        self._names: tuple[str, ...] = ()
        self._looked = float("-inf")

    async def model(self, name: str) -> str:
        """The served model that a client means."""
        now = self._kernel.clock.now()
        if now - self._looked > FRESH_S:
            found = await self.list()
            self._names, self._looked = tuple(model.name for model in found.models), now
        return self.aliases.model(name, self._names)

    async def list(self) -> ModelList:
        return await self._kernel.call(self._kernel.token, Models())
