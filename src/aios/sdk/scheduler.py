"""`client.scheduler`: the policy in force, and another one. A method is named after its verb."""

from aios.sdk.caller import Caller
from aios.syscalls.scheduling import SchedulerInfo, SetPolicy, ShowScheduler


class SchedulerClient:
    """The scheduler family over one client."""

    def __init__(self, client: Caller) -> None:
        self._client = client

    async def show(self) -> SchedulerInfo:
        return await self._client.call(ShowScheduler())

    async def set_policy(
        self, policy: str, slice_tokens: int | None = None, age_s: float | None = None
    ) -> SchedulerInfo:
        """Schedule by another policy, without losing a call."""
        return await self._client.call(
            SetPolicy(policy=policy, slice_tokens=slice_tokens, age_s=age_s)
        )
