"""A sandbox that runs nothing: a function says how each job ends. It remembers the jobs."""

from collections.abc import Callable

from aios.sandbox.base import Job, Outcome, Tier

Play = Callable[[Job], Outcome]


def ended(
    stdout: bytes = b"", *, code: int = 0, stderr: bytes = b"", is_cut: bool = False
) -> Outcome:
    """A job that exited."""
    return Outcome(
        ended="exited",
        code=code,
        stdout=stdout,
        stderr=stderr,
        is_cut=is_cut,
        tier="played",
        wall_s=0.0,
    )


def echo(job: Job) -> Outcome:
    """Says its words, a line each."""
    return ended("\n".join(job.argv).encode())


class PlayedSandbox:
    """A `Sandbox`."""

    def __init__(self, play: Play = echo) -> None:
        self._play = play
        self.jobs: list[Job] = []
        self.is_closed = False

    @property
    def tier(self) -> Tier:
        return Tier(name="played", strength=0)

    async def run(self, job: Job) -> Outcome:
        self.jobs.append(job)
        return self._play(job)

    async def close(self) -> None:
        self.is_closed = True
