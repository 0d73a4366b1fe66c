"""The models that the kernel serves, and what a client's name means."""

from aios.kernel import Kernel
from aios.server.wire.aliases import Aliases
from aios.syscalls import ModelList, Models


class Served:
    """Asks the kernel each time: models come and go."""

    def __init__(self, kernel: Kernel, aliases: Aliases) -> None:
        self._kernel = kernel
        self.aliases = aliases

    def model(self, name: str) -> str:
        """The served model that a client means."""
        return self.aliases.model(name, self._kernel.models)

    async def list(self) -> ModelList:
        return await self._kernel.call(self._kernel.token, Models())
