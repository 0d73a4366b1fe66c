"""Who holds which lanes and how much KV on one core. Keeps the books; decides nothing.

Every running or resting job has a part of the KV booked, in whole blocks. A job that starts books
what it holds (at least its prompt) and a look-ahead; while it runs its booking never shrinks, and
grows as soon as less than a block for each branch is left of it; at rest it keeps that block. So a
job that just started can grow for a while before anybody has to go, and a report that comes a step
late does no harm. What it gives up: a little room, and, as blocks that several jobs share are
booked for each of them, room that sharing would have saved.

A job whose booking exceeds the whole KV still fits where nobody else holds any.
"""

from dataclasses import dataclass
from enum import Enum

from aios.context.snapshot import Tier
from aios.scheduler.base import Job, JobId, Machine, Work

_AHEAD_BLOCKS = 2  # look-ahead of each branch


class Place(Enum):
    """Where a job is. WAITING: on no lane and not in DEVICE."""

    WAITING = "waiting"
    RESTING = "resting"
    RUNNING = "running"


@dataclass(slots=True, kw_only=True, eq=False)
class Account:
    """One job's page. Invariant: `booked` is 0 exactly while it is WAITING."""

    job: Job
    kv_tokens: int  # what it holds, or held when it was taken off
    place: Place = Place.WAITING
    booked: int = 0
    too_much: int | None = None  # booked by others when the core had no KV left for this job


class Ledger:
    """The books of one core. `ahead_tokens`: a longer look-ahead than two blocks."""

    def __init__(self, ahead_tokens: int = 0) -> None:
        self._ahead_tokens = ahead_tokens
        self._accounts: dict[JobId, Account] = {}
        self._machine = Machine(lanes=0, kv_tokens=0, block_tokens=1)
        self._lanes = 0  # taken by running jobs
        self._booked = 0  # by running and resting jobs
        self._holders = 0  # running and resting jobs
        self._losers: list[JobId] = []  # whose `too_much` may be set

    def enter(self, machine: Machine) -> None:
        """From now on the room is this."""
        self._machine = machine
        if not self._lanes:
            # Nobody runs: whoever lost his KV did so because the engine died, not for want of room.
            for job in self._losers:
                if (account := self._accounts.get(job)) is not None:
                    account.too_much = None
            self._losers.clear()

    def add(self, job: Job) -> None:
        """A job comes in; it waits."""
        assert job.id not in self._accounts, f"{job.id} is ready already"
        self._accounts[job.id] = Account(job=job, kv_tokens=job.prompt_tokens)

    def find(self, job: JobId) -> Account | None:
        return self._accounts.get(job)

    def account(self, job: JobId) -> Account:
        return self._accounts[job]

    def remove(self, job: JobId) -> Account | None:
        """A job is gone, with all it held."""
        account = self._accounts.pop(job, None)
        if account is not None:
            self._release(account)
        return account

    def served(self, job: JobId, work: Work) -> Account | None:
        """Note what a job holds now; the report may be late, or about one who is gone."""
        account = self._accounts.get(job)
        if account is None:
            return None
        account.kv_tokens = max(work.kv_tokens, account.job.prompt_tokens)
        if account.place is Place.RUNNING:
            self._book(account, max(account.booked, self._held(account)))
        elif account.place is Place.RESTING:
            self._book(account, self._held(account))
        return account

    def lost(self, job: JobId) -> Account | None:
        """A job's room is free without a decision; None where it held none."""
        account = self._accounts.get(job)
        if account is None or account.place is Place.WAITING:
            return None
        self._release(account)
        account.too_much = self._booked
        self._losers.append(job)
        return account

    def has_lanes(self, job: JobId, without: int = 0) -> bool:
        """Whether there are lanes for a job once `without` of those that are taken are free."""
        branches = self._accounts[job].job.branches
        return self._lanes - without + branches <= self._machine.lanes

    def has_kv(self, job: JobId, without: int = 0) -> bool:
        """Whether a job fits beside the others once `without` tokens of their KV are free."""
        account = self._accounts[job]
        others = self._booked - account.booked - without
        # The books said that it fits and the core knew better: wait until more is free.
        if account.too_much is not None and others >= account.too_much:
            return False
        return others == 0 or others + self._needed(account) <= self._machine.kv_tokens

    def start(self, job: JobId) -> None:
        account = self._accounts[job]
        assert account.place is not Place.RUNNING, f"{job} runs already"
        if account.place is Place.WAITING:
            self._holders += 1
        account.place, account.too_much = Place.RUNNING, None
        self._lanes += account.job.branches
        self._book(account, self._needed(account))

    def preempt(self, job: JobId, to: Tier) -> None:
        account = self._accounts[job]
        assert account.place is Place.RUNNING, f"{job} does not run"
        if to is Tier.DEVICE:
            self._lanes -= account.job.branches
            account.place = Place.RESTING
            self._book(account, self._held(account))
        else:
            self._release(account)

    def evict(self, job: JobId) -> None:
        account = self._accounts[job]
        assert account.place is Place.RESTING, f"{job} does not rest"
        self._release(account)

    def freed_by_rest(self, job: JobId) -> int:
        """KV that a running job gives back when it rests in DEVICE."""
        account = self._accounts[job]
        return account.booked - self._held(account)

    @property
    def is_overfull(self) -> bool:
        """Whether somebody must go. One who holds KV alone need not."""
        return self._booked > self._machine.kv_tokens and self._holders > 1

    @property
    def lanes(self) -> int:
        return self._lanes

    @property
    def booked(self) -> int:
        return self._booked

    @property
    def holders(self) -> int:
        return self._holders

    def __len__(self) -> int:
        return len(self._accounts)

    def _needed(self, account: Account) -> int:
        block = self._machine.block_tokens
        blocks = max(_AHEAD_BLOCKS, -(-self._ahead_tokens // block))
        return self._whole(account.kv_tokens, blocks, account.job.branches)

    def _held(self, account: Account) -> int:
        """What a job holds at most, as a report of one more step may be on its way."""
        return self._whole(account.kv_tokens, 1, account.job.branches)

    def _whole(self, tokens: int, blocks: int, branches: int) -> int:
        """Tokens in whole blocks, and so many blocks more for each branch."""
        block = self._machine.block_tokens
        return (-(-tokens // block) + blocks * branches) * block

    def _book(self, account: Account, tokens: int) -> None:
        self._booked += tokens - account.booked
        account.booked = tokens

    def _release(self, account: Account) -> None:
        if account.place is Place.WAITING:
            return
        if account.place is Place.RUNNING:
            self._lanes -= account.job.branches
        self._holders -= 1
        account.place = Place.WAITING
        self._book(account, 0)
        assert self._lanes >= 0 <= self._booked
