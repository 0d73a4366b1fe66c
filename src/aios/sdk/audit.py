"""`client.audit`: the record of every decision. A method is named after its verb."""

from aios.sdk.caller import Caller
from aios.syscalls.audit import AuditPage, AuditRecords, AuditState, VerifyAudit


class AuditClient:
    """The audit family over one client."""

    def __init__(self, client: Caller) -> None:
        self._client = client

    async def list(
        self,
        start: int = 1,
        limit: int = 100,
        *,
        agent: str = "",
        verb: str = "",
        decision: str = "",
        newest: bool = False,
    ) -> AuditPage:
        return await self._client.call(
            AuditRecords(
                start=start, limit=limit, agent=agent, verb=verb, decision=decision, newest=newest
            )
        )

    async def verify(self) -> AuditState:
        return await self._client.call(VerifyAudit())
