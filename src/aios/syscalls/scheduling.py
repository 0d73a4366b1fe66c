"""The scheduler family: by which policy lanes are given out, and what came of it. Pure data."""

from typing import Annotated

import msgspec
from msgspec import Meta

from aios.syscalls.base import Syscall

SliceTokens = Annotated[int, Meta(ge=1, le=1_000_000)]
AgeSeconds = Annotated[float, Meta(gt=0, le=86_400)]


class SetPolicy(Syscall["SchedulerInfo"], frozen=True, tag="scheduler.set_policy"):
    """Schedule by another policy from now on, on every core, until the kernel stops.

    No call is lost: what runs is taken off its lanes into RAM, as a pause does, and the new policy
    is told of every call that can run, in order of arrival. The options are those of the policy,
    and left out they are its defaults.
    """

    policy: Annotated[str, Meta(min_length=1, max_length=64)]
    slice_tokens: SliceTokens | None = None  # of `rr`
    age_s: AgeSeconds | None = None  # of `priority`


class ShowScheduler(Syscall["SchedulerInfo"], frozen=True, tag="scheduler.show"):
    """The policy in force, those there are, and how long calls lately waited under each."""


class PolicyWaits(msgspec.Struct, frozen=True, kw_only=True):
    """The last calls that were answered under a policy: seconds until their first slice."""

    policy: str
    calls: int
    p50_s: float
    p90_s: float
    longest_s: float
    switches: int  # context switches of these calls


class SchedulerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Options are None where they are the policy's defaults or it has none such."""

    policy: str
    slice_tokens: int | None
    age_s: float | None
    known: tuple[str, ...]
    waits: tuple[PolicyWaits, ...]
