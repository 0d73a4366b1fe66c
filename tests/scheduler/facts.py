"""Facts as a run loop would tell them, in few words."""

from collections.abc import Sequence

from aios.scheduler.base import Decision, Evict, Job, JobId, Machine, Policy, Preempt, Start, Work

MACHINE = Machine(lanes=2, kv_tokens=1_024, block_tokens=16)


def come(policy: Policy, *names: str, priority: int = 0, at: float = 0.0, prompt: int = 20) -> None:
    """Jobs of one branch become ready in this order."""
    for name in names:
        policy.ready(job(name, priority=priority, at=at, prompt=prompt))


def job(
    name: str, *, priority: int = 0, at: float = 0.0, prompt: int = 20, branches: int = 1
) -> Job:
    return Job(
        id=JobId(name),
        pid=1,
        priority=priority,
        arrived=at,
        prompt_tokens=prompt,
        tokens_max=1_000,
        branches=branches,
    )


def served(policy: Policy, name: str, produced: int, kv: int, prefilled: int = 0) -> None:
    policy.served(JobId(name), Work(prefilled=prefilled, produced=produced, kv_tokens=kv))


def decided(policy: Policy, at: float = 0.0, machine: Machine = MACHINE) -> list[str]:
    """The decisions in words: `+a` starts, `-a device` is preempted, `!a ram` is evicted."""
    return told(policy.decide(at, machine))


def told(decisions: Sequence[Decision]) -> list[str]:
    return [_word(decision) for decision in decisions]


def _word(decision: Decision) -> str:
    match decision:
        case Start(job):
            return f"+{job}"
        case Preempt(job, tier):
            return f"-{job} {tier}"
        case Evict(job, tier):
            return f"!{job} {tier}"
