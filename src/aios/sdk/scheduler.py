"""`client.scheduler`: the policy in force, and another one. A method is named after its verb."""

from aios.sdk.caller import Family, verb
from aios.syscalls.scheduling import SetPolicy, ShowScheduler


class SchedulerClient(Family):
    """The scheduler family over one client."""

    show = verb(ShowScheduler)
    set_policy = verb(SetPolicy)
