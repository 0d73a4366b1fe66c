"""The doctor's lines about sandboxes: what each tier does here, and how to get what is missing."""

import asyncio
from collections.abc import Iterator, Sequence

from aios.cli.check import Check
from aios.sandbox.launched import Found, probe_all

NAMESPACES = (
    "user namespaces are refused: on Ubuntu 24.04 and later put an AppArmor profile with `userns,` "
    "for /usr/bin/bwrap into /etc/apparmor.d, or set the sysctl "
    "kernel.apparmor_restrict_unprivileged_userns=0; in a container allow them to it"
)
# The first that is part of what a tier said of itself.
ADVICE = (
    ("not installed", "`apt install bubblewrap`"),
    ("Permission denied", NAMESPACES),
    ("RTM_NEWADDR", NAMESPACES),
    ("Operation not permitted", NAMESPACES),
    ("No permissions", NAMESPACES),
    ("only root may go", "install a Python that every user can reach, `apt install python3`"),
    ("no system call table", "use a tier that needs none: podman"),
)
GROUPS = (
    "limits of whole trees need control groups: under systemd Delegate=yes with "
    "DelegateSubgroup=kernel, in a container a writable /sys/fs/cgroup"
)
NONE = "untrusted code is refused until one of them works"


def sandboxes() -> Iterator[Check]:
    """One line a tier, each really tried."""
    yield from lines(asyncio.run(probe_all()))


def lines(found: Sequence[Found]) -> Iterator[Check]:
    """What is known of each tier. Only the strongest has to be there, or else any."""
    best = max((one.strength for one in found if one.works), default=0)
    for one in found:
        yield Check(f"sandbox {one.name}", _told(one), _advice(one, best))


def _told(one: Found) -> str:
    if not one.works:
        return f"not here: {one.detail}"
    lacks = f"; does not hold {', '.join(one.unbounded)}" if one.unbounded else ""
    return f"works, strength {one.strength}{lacks}; {one.detail}"


def _advice(one: Found, best: int) -> str:
    if one.works:
        return GROUPS if one.unbounded and one.strength == best else ""
    known = next((advice for part, advice in ADVICE if part in one.detail), "")
    if best:
        return known if one.name == "bubblewrap" else ""
    return f"{known}; {NONE}" if known else NONE
