"""`aios demo`: one office of agents, three ways, on one small model and too little memory.

Direct calls, then the kernel with FIFO, then with round-robin: the same work each time, cut off
after some seconds. Ends with one agent's transcript, a table and a picture of the lanes.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from aios.bench.picture import Panel, draw
from aios.bench.plain import PlainModel
from aios.bench.records import Errand, Row, Run, row_of
from aios.bench.site import Site, site_for
from aios.bench.ways import Watch, launch, run_direct, run_kernel
from aios.bench.workload import Size
from aios.clock import Clock, WallClock
from aios.kernel.home import home
from aios.scheduler import Fifo, RoundRobin

SECONDS = 12.0  # that each way may take
SIZE = Size(agents=48, flights=6, flight_errands=6, short_errands=4)
KV_SHARE = 0.3
LANES = 16
SLICE_TOKENS = 64
FILE = "aios-demo.svg"
_TICK_S = 0.25
_LINE_S = 2.0  # between progress lines where there is no terminal
_SEED = 1
_SHOWN_CHARACTERS = 160
HONEST = (
    "pocket is a demonstration model of about 1 million parameters that was trained by this "
    "project: it can do these tasks and little else."
)
NAMES = {"direct": "direct", "fifo": "FIFO", "rr": "round-robin"}
TITLES = {
    "direct": "Direct: every agent calls the model itself",
    "fifo": "AIOS, first in first out",
    "rr": f"AIOS, round-robin, slices of {SLICE_TOKENS} tokens",
}


@dataclass(frozen=True, slots=True)
class _Way:
    name: str
    run: Callable[[Watch], Awaitable[Run]]


def run(
    out: Path | None = None, *, seconds: float = SECONDS, console: Console | None = None
) -> None:
    """Show it on the console; the picture goes into the folder `out`, or the current one."""
    folder, screen = out or Path.cwd(), console or Console(highlight=False)
    folder.mkdir(parents=True, exist_ok=True)
    site = site_for(SIZE, _SEED, share=KV_SHARE, lanes=LANES, seconds=seconds)
    screen.print(_introduction(site), soft_wrap=True)
    show(asyncio.run(_runs(site, screen)), site, folder / FILE, screen)


def show(runs: list[Run], site: Site, path: Path, console: Console) -> None:
    """A transcript, a table, a picture at `path`, and what the model is."""
    rows = [row_of(one, "exact") for one in runs]
    _tell_transcript(runs, console)
    console.print(_table(rows))
    path.write_text(_picture(runs, rows, site), encoding="utf-8")
    console.print(f"Picture of the lanes: {path}", soft_wrap=True, markup=False)
    console.print(HONEST, soft_wrap=True)


async def _runs(site: Site, console: Console) -> list[Run]:
    clock = WallClock()
    async with AsyncExitStack() as stack:
        ways = await _ways(site, clock, console, stack)
        return [await _watched(way, clock, console) for way in ways]


def _introduction(site: Site) -> str:
    seconds = f"{site.seconds:g}" if site.seconds else "?"
    return (
        f"{len(site.office)} agents have {site.tasks} tasks for one model on this machine's CPU; "
        f"they try three ways, {seconds} s at the most for each.\n"
        f"The model's memory holds {site.kv_tokens} tokens, {KV_SHARE:.0%} of what all want at "
        "once.\n"
        "Flight agents flood it with long answers. Calendar, hotel and purse agents have short "
        "tasks with tools."
    )


async def _ways(
    site: Site, clock: Clock, console: Console, stack: AsyncExitStack
) -> tuple[_Way, ...]:
    """Load everything before anything is measured."""
    with console.status("Loading the model and starting two engines ..."):
        folders = stack.enter_context(home(None))
        fifo, rr = await asyncio.gather(
            launch(site, folders, "fifo", exact=True), launch(site, folders, "rr", exact=True)
        )
        for core in (fifo, rr):
            stack.push_async_callback(core.close)  # Also where an earlier way was interrupted.
        model = await asyncio.to_thread(PlainModel, site.model)

    def round_robin() -> RoundRobin:
        return RoundRobin(slice_tokens=SLICE_TOKENS)

    return (
        _Way("direct", lambda watch: run_direct(site, model, clock, watch)),
        _Way("fifo", lambda watch: run_kernel(site, fifo, Fifo, clock, watch)),
        _Way("rr", lambda watch: run_kernel(site, rr, round_robin, clock, watch)),
    )


async def _watched(way: _Way, clock: Clock, console: Console) -> Run:
    """Run one way and show how it goes."""
    watch = Watch()
    work = asyncio.ensure_future(way.run(watch))
    console.print(f"\n[bold]{escape(TITLES[way.name])}[/bold]")
    try:
        if console.is_terminal:
            await _live(work, watch, clock, console)
        else:
            await _lines(work, watch, clock, console)
    finally:
        work.cancel()
    return await work


async def _live(work: "asyncio.Future[Run]", watch: Watch, clock: Clock, console: Console) -> None:
    with Live(console=console, auto_refresh=False) as live:
        while not work.done():
            await asyncio.wait({work}, timeout=_TICK_S)
            live.update(_progress(watch, clock), refresh=True)


async def _lines(work: "asyncio.Future[Run]", watch: Watch, clock: Clock, console: Console) -> None:
    while not work.done():
        await asyncio.wait({work}, timeout=_LINE_S)
        console.print(_progress(watch, clock), soft_wrap=True)


def _progress(watch: Watch, clock: Clock) -> str:
    now = clock.now() if watch.ended is None else watch.ended
    passed = 0.0 if watch.started is None else now - watch.started
    tokens = sum(call.tokens for call in watch.log.calls)
    return (
        f"  {passed:4.1f} s   {len(watch.log.calls):4d} calls answered, "
        f"{len(watch.log.open):3d} waiting, {tokens:6d} tokens, "
        f"{watch.switches():4d} switches, {watch.oom():4d} times out of memory"
    )


def _tell_transcript(runs: list[Run], console: Console) -> None:
    """One short conversation in full, so that it is seen that a real agent ran."""
    told = next((one for run in reversed(runs) for one in run.errands if _is_telling(one)), None)
    if told is None:
        return
    console.print(f"\n[bold]What one of them did ({escape(told.agent)})[/bold]")
    for message in told.messages:
        if message.content and message.role != "system":
            _tell(message.role, message.content, console)
        for call in message.tool_calls:
            _tell("calls", f"{call.name} {call.arguments}", console)


def _tell(who: str, what: str, console: Console) -> None:
    names = {"user": "asked", "tool": "result", "assistant": "answers"}
    shown = what if len(what) <= _SHOWN_CHARACTERS else what[:_SHOWN_CHARACTERS] + " ..."
    console.print(f"  {names.get(who, who):>8}  {escape(shown)}", soft_wrap=True)


def _is_telling(errand: Errand) -> bool:
    """Right, and with a tool's result on the way to the answer."""
    return errand.right and any(message.role == "tool" for message in errand.messages)


def _table(rows: list[Row]) -> Table:
    table = Table(title="\nThe same agents, model and memory", title_justify="left")
    for name in ("", *(NAMES[row.policy] for row in rows)):
        table.add_column(name, justify="right" if name else "left")
    lines: tuple[tuple[str, Callable[[Row], str]], ...] = (
        ("LLM calls per second", lambda row: f"{row.llm_calls_per_s:.1f}"),
        ("tokens per second", lambda row: f"{row.tokens_per_s:.0f}"),
        ("wait for an answer, mean", lambda row: f"{row.wait_mean_s:.2f} s"),
        ("wait, 9 of 10 at most", lambda row: f"{row.wait_p90_s:.2f} s"),
        ("the same, short agents", lambda row: f"{row.short_wait_p90_s:.2f} s"),
        ("context switches", lambda row: str(row.switches)),
        ("out of memory, tried again", lambda row: str(row.oom_retries)),
        ("time taken", lambda row: f"{row.makespan_s:.1f} s"),
        ("tasks finished", lambda row: f"{row.tasks_done} of {row.tasks}"),
        ("of these answered right", lambda row: str(row.tasks_ok)),
    )
    for label, figure in lines:
        table.add_row(label, *map(figure, rows))
    return table


def _picture(runs: list[Run], rows: list[Row], site: Site) -> str:
    panels = [_panel(run, row) for run, row in zip(runs, rows, strict=True)]
    title = f"{len(site.office)} agents on one small model, {site.kv_tokens} tokens of memory"
    return draw(title, panels)


def _panel(run: Run, row: Row) -> Panel:
    began = run.started
    return Panel(
        title=TITLES[run.policy],
        facts=(
            f"{row.llm_calls_per_s:.1f} calls/s, {row.tokens_per_s:.0f} tokens/s, "
            f"p90 wait {row.wait_p90_s:.1f} s, {row.tasks_done} of {row.tasks} tasks done"
        ),
        spans=tuple(
            replace(span, start=span.start - began, end=min(span.end, run.ended) - began)
            for span in run.spans
        ),
        seconds=run.ended - began,
        alarms=tuple(at - began for at in run.alarms),
    )
