"""`client.programs`: programs outside of the kernel. A method is named after its verb."""

from collections.abc import Mapping, Sequence

from aios.sdk.caller import Caller
from aios.syscalls.process import Pid, Spawned
from aios.syscalls.program import Fed, FeedProgram, LogPart, ProgramLog, StartProgram


class ProgramClient:
    """The program family over one client."""

    def __init__(self, client: Caller) -> None:
        self._client = client

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

    async def feed(self, pid: Pid, data: bytes = b"", *, is_last: bool = False) -> Fed:
        return await self._client.call(FeedProgram(pid=pid, data=data, is_last=is_last))

    async def log(
        self,
        pid: Pid,
        start: int = 0,
        *,
        tail: int | None = None,
        wait_s: float = 0.0,
        bytes_max: int = 256 << 10,
    ) -> LogPart:
        return await self._client.call(
            ProgramLog(pid=pid, start=start, tail=tail, wait_s=wait_s, bytes_max=bytes_max)
        )
