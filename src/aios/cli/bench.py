"""`aios bench`: run one benchmark, show it as tables, write it as JSON. Knows none of them."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from aios.bench.table import BENCHMARKS, ON_DEVICES, Bar, Options, Report, Table, benchmark, quiet

Name = Annotated[str, typer.Argument(help=f"One of: {', '.join(BENCHMARKS)}.")]
Full = Annotated[
    bool, typer.Option("--full/--quick", help="Up to 20 minutes, or up to 90 seconds.")
]
Seed = Annotated[int, typer.Option(help="The same seed makes the same cases.", min=0)]
Device = Annotated[
    str, typer.Option(help=f"auto, cpu, cuda or cuda:1; for {', '.join(sorted(ON_DEVICES))}.")
]
Json = Annotated[Path | None, typer.Option("--json", help="File for the figures.", dir_okay=False)]


def bench(
    name: Name, full: Full = False, seed: Seed = 0, device: Device = "cpu", json: Json = None
) -> None:
    """Measure AIOS on this machine."""
    if name not in BENCHMARKS:
        raise typer.BadParameter(f"no benchmark {name!r}; expected {', '.join(BENCHMARKS)}")
    if device != "cpu" and name not in ON_DEVICES:
        raise typer.BadParameter(
            f"no --device for {name}; expected it for {', '.join(sorted(ON_DEVICES))}"
        )
    if json is not None and not json.absolute().parent.is_dir():
        raise typer.BadParameter(f"no folder {json.absolute().parent} for --json")
    options = Options(is_quick=not full, seed=seed, device=device)
    report = benchmark(name)(options, _tell if sys.stderr.isatty() else quiet)
    if json is not None:
        json.write_bytes(as_json(report, options))
    show(report)
    if not all(bar.is_met for bar in report.bars if bar.is_promise):
        raise typer.Exit(1)


def as_json(report: Report, options: Options) -> bytes:
    """The documented fields, and under `machine` where and how they were measured."""
    from aios.bench.machine import this_machine

    fields = msgspec.to_builtins(report.result)
    machine = msgspec.to_builtins(this_machine())
    machine |= {"profile": "quick" if options.is_quick else "full", "seed": options.seed}
    machine |= {"more": msgspec.to_builtins(report.more)}
    return msgspec.json.format(msgspec.json.encode(fields | {"machine": machine}), indent=2)


def show(report: Report) -> None:
    """Print the tables, and under them what was to be reached."""
    from rich.console import Console

    console = Console(highlight=False)
    for table in (*report.tables, _table_of(report.bars)):
        console.print(_drawn(table))


def _table_of(bars: tuple[Bar, ...]) -> Table:
    rows = tuple((one.what, one.bar, one.measured, "yes" if one.is_met else "NO") for one in bars)
    return Table(title="Bars", columns=("what", "bar", "measured", "met"), rows=rows)


def _drawn(table: Table) -> object:
    from rich import box
    from rich.table import Table as Drawn

    drawn = Drawn(title=table.title, box=box.SIMPLE_HEAD, title_justify="left")
    for index, column in enumerate(table.columns):
        drawn.add_column(column, justify="right" if index else "left")
    for row in table.rows:
        drawn.add_row(*row)
    return drawn


def _tell(progress: str) -> None:
    sys.stderr.write(f"\r\x1b[K{progress}")
    sys.stderr.flush()
