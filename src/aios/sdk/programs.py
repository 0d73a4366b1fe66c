"""`client.programs`: programs outside of the kernel. A method is named after its verb."""

from collections.abc import Mapping, Sequence

from aios.sdk.caller import Family, verb
from aios.syscalls.process import Spawned
from aios.syscalls.program import FeedProgram, ProgramLog, StartProgram


class ProgramClient(Family):
    """The program family over one client."""

    feed = verb(FeedProgram)
    log = verb(ProgramLog)

    async def start(  # noqa: PLR0913 - the syscall's fields
        self,
        name: str,
        argv: Sequence[str],
        folder: str,
        environment: Mapping[str, str],
        *,
        takes_input: bool = False,
        priority: int = 0,
        durable: bool = False,
    ) -> Spawned:
        return await self._client.call(
            StartProgram(
                name=name,
                argv=tuple(argv),
                folder=folder,
                environment=environment,
                takes_input=takes_input,
                priority=priority,
                durable=durable,
            )
        )
