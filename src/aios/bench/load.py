"""What one server bears: agents that all wait at once, ten times too many calls, open streams.

The server has a process of its own and the load comes from this one. The core takes 100 ms for an
answer on each of 64 lanes, so that what it could do alone is known: 640 calls a second.
"""

import asyncio
import gc

import msgspec

from aios.bench import load_agents, load_overload, load_streams
from aios.bench.table import Options, Report, Table, Tell
from aios.errors import NoSpace
from aios.server.listener import fast_loop
from aios.server.tuning import allow_files

FILES_MIN = load_streams.STREAMS + 500  # some beside the connections themselves


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The documented fields; `calls_per_s`, `failures` and `rss_mb` are of the agents alone."""

    agents: int
    calls_per_s: float
    core_calls_per_s: float
    failures: int
    rss_mb: float
    overload: load_overload.Overload
    streams: load_streams.Streams


def run(options: Options, tell: Tell) -> Report:
    """All three, one after another, each on a server of its own."""
    if (files := allow_files(FILES_MIN)) < FILES_MIN:
        raise NoSpace(f"expected {FILES_MIN} open files to be allowed (ulimit -Hn), got {files}")
    seconds = 10.0 if options.is_quick else 60.0
    gc.disable()  # Its pauses would be told as the server's.
    try:
        with asyncio.Runner(loop_factory=fast_loop()) as runner:
            agents = runner.run(load_agents.measure(seconds, tell))
            overload = runner.run(load_overload.measure(seconds, options.seed, tell))
            streams = runner.run(load_streams.measure(seconds, tell))
    finally:
        gc.enable()
    result = Result(
        agents=agents.agents,
        calls_per_s=agents.calls_per_s,
        core_calls_per_s=agents.core_calls_per_s,
        failures=agents.failures,
        rss_mb=agents.rss_mb,
        overload=overload.headline,
        streams=streams.headline,
    )
    found = (agents, overload, streams)
    return Report(
        result=result,
        tables=tuple(_table(one.title, one.rows) for one in found),
        bars=tuple(bar for one in found for bar in one.bars),
        more={"agents": agents, "overload": overload, "streams": streams},
    )


def _table(title: str, rows: tuple[tuple[str, ...], ...]) -> Table:
    return Table(title=title, columns=("what", "measured"), rows=rows)
