"""What a sandboxed job came to, as a tool's result. Pure."""

from collections.abc import Sequence

from aios.sandbox.base import Outcome
from aios.syscalls.tool import Content, Text
from aios.tools.base import Ran

ENDED = {
    "timeout": "ended at its time limit",
    "memory": "ended at its memory limit",
    "signalled": "ended by signal {code}",
    "refused": "the sandbox refused to run it",
    "exited": "exit status {code}",
}


def told(outcome: Outcome, remarks: Sequence[str] = (), more: Sequence[Content] = ()) -> Ran:
    """What it printed, what it complained about, and how it ended where that was not well."""
    has_failed = outcome.ended != "exited" or outcome.code != 0
    parts = [outcome.stdout.decode(errors="replace"), outcome.stderr.decode(errors="replace")]
    if has_failed:
        parts.append(f"[{ENDED[outcome.ended].format(code=outcome.code)}]")
    said = "\n".join(part.rstrip() for part in parts if part.strip())
    if outcome.is_cut:
        remarks = (*remarks, "cut: its output was longer")
    return Ran(
        contents=(Text(said or "(no output)"), *more),
        is_error=has_failed,
        remarks=tuple(remarks),
        sandbox=outcome.tier,
    )
