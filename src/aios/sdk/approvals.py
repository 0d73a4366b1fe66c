"""`client.approvals`: what waits for a yes, and the answer. A method is named after its verb."""

from collections.abc import Sequence

from aios.sdk.caller import Caller
from aios.syscalls.approval import (
    AnswerApproval,
    Approval,
    ApprovalList,
    Approvals,
    AskHuman,
    HumanAnswer,
)


class ApprovalClient:
    """The approval family over one client."""

    def __init__(self, client: Caller) -> None:
        self._client = client

    async def list(
        self, all: bool = False, id: int | None = None, limit: int = 1_000
    ) -> ApprovalList:
        return await self._client.call(Approvals(all=all, id=id, limit=limit))

    async def show(self, id: int) -> Approval:
        """One question; its arguments are not shortened while it is open."""
        return (await self._client.call(Approvals(id=id))).approvals[0]

    async def answer(self, id: int, digest: str, yes: bool, note: str = "") -> Approval:
        """Say yes or no to what has this digest."""
        return await self._client.call(AnswerApproval(id=id, digest=digest, yes=yes, note=note))

    async def ask(self, question: str, choices: Sequence[str] = ()) -> HumanAnswer:
        """Ask a human, and wait for what they say."""
        return await self._client.call(AskHuman(question=question, choices=tuple(choices)))
