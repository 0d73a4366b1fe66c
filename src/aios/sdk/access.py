"""`client.access`: an agent's rights. A method is named after its syscall's verb."""

from collections.abc import Iterable, Sequence
from typing import TypedDict, Unpack

from aios.sdk.caller import Caller
from aios.syscalls.access import (
    AddPrivilege,
    AskPermission,
    Capability,
    CheckAccess,
    Endorse,
    GrantRight,
    LabelInfo,
    Plan,
    PlanActs,
    PlannedAct,
    RevokeRight,
    RightList,
    Rights,
    ShowLabel,
    Verdict,
)
from aios.syscalls.base import Ok
from aios.syscalls.process import Pid


class Wanted(TypedDict, total=False):
    """Every field of `AskPermission` but the verbs."""

    owner: str
    object: str
    expires_s: float
    uses: int
    reason: str


class Given(TypedDict, total=False):
    """Every field of `GrantRight` but to whom, and the verbs."""

    owner: str
    object: str
    expires_s: float
    uses: int
    delegable: bool
    of: str


class AccessClient:
    """The access family over one client."""

    def __init__(self, client: Caller) -> None:
        self._client = client

    async def grant(self, to: str, verbs: str, **given: Unpack[Given]) -> Capability:
        return await self._client.call(GrantRight(to=to, verbs=verbs, **given))

    async def revoke(self, id: str) -> Ok:
        return await self._client.call(RevokeRight(id=id))

    async def list(self, agent: str = "") -> RightList:
        return await self._client.call(Rights(agent=agent))

    async def check(self, verb: str, object: str = "", owner: str = "", agent: str = "") -> Verdict:
        return await self._client.call(
            CheckAccess(verb=verb, object=object, owner=owner, agent=agent)
        )

    async def add_privilege(self, agent: str, group: str, remove: bool = False) -> RightList:
        return await self._client.call(AddPrivilege(agent=agent, group=group, remove=remove))

    async def ask(self, verbs: str, **wanted: Unpack[Wanted]) -> Capability:
        """Ask a human for a right; waits for the answer."""
        return await self._client.call(AskPermission(verbs=verbs, **wanted))

    async def plan(self, acts: Iterable[PlannedAct]) -> Plan:
        """Say what will be done, before anything untrusted is heard."""
        return await self._client.call(PlanActs(acts=tuple(acts)))

    async def label(self, pid: Pid = 0) -> LabelInfo:
        return await self._client.call(ShowLabel(pid=pid))

    async def endorse(
        self, pid: Pid, sources: Sequence[str] | None = None, public: bool = False
    ) -> LabelInfo:
        vouched = None if sources is None else tuple(sources)
        return await self._client.call(Endorse(pid=pid, sources=vouched, public=public))
