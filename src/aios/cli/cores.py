"""`aios cores`: what the LLM cores of a running kernel do, and what lies in its tiers."""

from typing import TYPE_CHECKING

from aios.cli.paint import count, share, size, span
from aios.cli.remote import Form, Output, Url, ask, show

if TYPE_CHECKING:
    from aios.syscalls.kernel import CoreStats, RoomStats

LOAD = (
    "CORE", "MODEL", "DEVICE", "STATE", "LANES", "KV TOKENS", "RUNNING", "READY", "PAUSED",
    "WAITED",
)  # fmt: skip
RULE = ("CORE", "POLICY", "WAIT AT MOST", "SWITCHES", "RESTARTS", "EXACTNESS", "ENGINE PID")
TIERS = ("TIER", "OF", "USED", "LIMIT", "SHARE")


def cores(output: Output = Form.TABLE, url: Url = "") -> None:
    """Show each core: its state, lanes, KV, queue, waits and restarts; and the tiers."""
    found = ask(url, lambda client: client.stats(agents=False))
    show(output, found, LOAD, [_load(one) for one in found.cores])
    if output is Form.TABLE:
        print()
        show(output, found, RULE, [_rule(one) for one in found.cores])
        print()
        show(output, found, TIERS, [_tier(one) for one in found.rooms])


def _load(one: "CoreStats") -> tuple[str, ...]:
    return (
        str(one.number),
        one.model,
        one.device,
        one.state.value,
        f"{one.lanes_used}/{one.lanes}",
        f"{count(one.kv_used_tokens)}/{count(one.kv_tokens)}",
        str(one.running),
        str(one.queued + one.suspended),
        str(one.blocked),
        span(one.longest_wait_s) if one.queued + one.suspended else "-",
    )


def _rule(one: "CoreStats") -> tuple[str, ...]:
    bound = one.wait_bound_tokens
    return (
        str(one.number),
        one.policy,
        "no bound" if bound is None else f"{count(bound)} tokens",
        count(one.switches),
        str(one.restarts),
        one.exactness,
        str(one.engine_pid or "-"),
    )


def _tier(one: "RoomStats") -> tuple[str, ...]:
    used, limit = one.used_bytes, one.limit_bytes
    return one.tier, one.kind, size(used), size(limit), share(used, limit)
