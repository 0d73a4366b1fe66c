"""What happened, as frozen facts with a time. Knows nobody who listens."""

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event"):
    """A fact at `at` seconds of the kernel's clock about process `pid`."""

    at: float
    pid: int


class Spawned(Event, frozen=True, kw_only=True, tag="spawned"):
    name: str
    parent: int


class StateChanged(Event, frozen=True, kw_only=True, tag="state"):
    state: str


class Changed(Event, frozen=True, kw_only=True, tag="changed"):
    """A durable program is run again, and its code is not what it was."""

    program: str


class Submitted(Event, frozen=True, kw_only=True, tag="submitted"):
    generation: str
    prompt_tokens: int


class Started(Event, frozen=True, kw_only=True, tag="started"):
    """A slice begins; `resumed` tells a context switch from a first start."""

    generation: str
    branches: int
    resumed: bool


class Stopped(Event, frozen=True, kw_only=True, tag="stopped"):
    """A slice ended before the generation did."""

    generation: str
    tier: str


class Ended(Event, frozen=True, kw_only=True, tag="ended"):
    """The generation got its one reply or one error; `outcome` is done or an error code."""

    generation: str
    outcome: str
    produced: int


class ToolStarted(Event, frozen=True, kw_only=True, tag="tool_started"):
    """A tool runs from now on; `run` tells it from others of its process."""

    tool: str
    run: int


class ToolEnded(Event, frozen=True, kw_only=True, tag="tool_ended"):
    """The tool's task is over, however long ago its caller was answered; `took_s` in seconds."""

    tool: str
    run: int
    outcome: str  # done, failed, or cancelled
    took_s: float


class PolicyChanged(Event, frozen=True, kw_only=True, tag="policy"):
    """Lanes are given out by another policy, by the word of `pid`."""

    policy: str


class CoreDied(Event, frozen=True, kw_only=True, tag="core_died"):
    reason: str


class Asked(Event, frozen=True, kw_only=True, tag="asked"):
    """A human must say yes or no before the act is done."""

    approval: int
    agent: str
    verb: str


class Answered(Event, frozen=True, kw_only=True, tag="answered"):
    """A question is over; `answer` tells how: yes, no, expired or gone."""

    approval: int
    answer: str


class LabelBroken(Event, frozen=True, kw_only=True, tag="label_broken"):
    """An act goes on although a rule of labels speaks against it: the policy only warns."""

    agent: str
    verb: str
    object: str
    rule: str


class BudgetLow(Event, frozen=True, kw_only=True, tag="budget_low"):
    """An account has used 80 % of a limit; told once for each limit."""

    account: str
    resource: str
    limit: float
    used: float


class BudgetShort(Event, frozen=True, kw_only=True, tag="budget_short"):
    """A call waits until an account is topped up."""

    account: str
    resource: str


KINDS: tuple[str, ...] = tuple(str(kind.__struct_config__.tag) for kind in Event.__subclasses__())
