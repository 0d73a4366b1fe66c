"""The launcher's answers, as the kernel has them. Pure."""

from typing import Any

from aios.errors import AiosError, Busy, Cancelled, Denied
from aios.sandbox.base import Outcome
from aios.sandbox.collect import Collected
from aios.sandbox.wire import Frame

NOTHING = Collected(files=(), not_collected=())


def outcome(frame: Frame, tier: str, brought: Collected = NOTHING) -> Outcome:
    """How it ended, as the launcher told."""
    header = frame.header
    if header["ended"] == "cancelled":
        raise Cancelled("the sandbox was closed while this ran")
    stdout, stderr = frame.blobs
    return Outcome(
        ended=header["ended"],
        code=header["code"],
        stdout=stdout,
        stderr=stderr,
        is_cut=header["is_cut"],
        files=brought.files,
        not_collected=brought.not_collected,
        tier=tier,
        wall_s=header["wall_s"],
    )


def refusal(header: dict[str, Any]) -> AiosError:
    """Why the launcher did not even begin."""
    if header["re"] == "busy":
        return Busy("as many jobs wait for a sandbox as may wait", retry_after_s=1.0)
    return Denied(f"no sandbox can be made for this: {header['why']}")
