"""`client.approvals`: what waits for a yes, and the answer. A method is named after its verb."""

from collections.abc import Sequence

from aios.sdk.caller import Family, verb
from aios.syscalls.approval import AnswerApproval, Approval, Approvals, AskHuman, HumanAnswer


class ApprovalClient(Family):
    """The approval family over one client."""

    list = verb(Approvals)
    answer = verb(AnswerApproval)

    async def show(self, id: int) -> Approval:
        """One question; its arguments are not shortened while it is open."""
        return (await self._client.call(Approvals(id=id))).approvals[0]

    async def ask(self, question: str, choices: Sequence[str] = ()) -> HumanAnswer:
        """Ask a human, and wait for what they say."""
        return await self._client.call(AskHuman(question=question, choices=tuple(choices)))
