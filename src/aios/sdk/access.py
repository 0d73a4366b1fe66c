"""`client.access`: an agent's rights. A method is named after its syscall's verb."""

from collections.abc import Iterable, Sequence

from aios.sdk.caller import Family, verb
from aios.syscalls import access
from aios.syscalls.process import Pid


class AccessClient(Family):
    """The access family over one client."""

    grant = verb(access.GrantRight)
    revoke = verb(access.RevokeRight)
    list = verb(access.Rights)
    check = verb(access.CheckAccess)
    add_privilege = verb(access.AddPrivilege)
    ask = verb(access.AskPermission)
    label = verb(access.ShowLabel)

    async def plan(self, acts: Iterable[access.PlannedAct]) -> access.Plan:
        """Say what will be done, before anything untrusted is heard."""
        return await self._client.call(access.PlanActs(acts=tuple(acts)))

    async def endorse(
        self, pid: Pid, sources: Sequence[str] | None = None, public: bool = False
    ) -> access.LabelInfo:
        vouched = None if sources is None else tuple(sources)
        return await self._client.call(access.Endorse(pid=pid, sources=vouched, public=public))
