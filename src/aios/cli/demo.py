"""`aios demo`: agents on a real model, here and now. The work is `aios.bench.demo`'s."""

from pathlib import Path
from typing import Annotated

import typer

from aios.bench.table import named

Out = Annotated[Path | None, typer.Option(help="Folder for what the demo writes.", file_okay=False)]


def demo(out: Out = None) -> None:
    """Run agents on the small model that comes with AIOS."""
    named("aios.bench.demo:run")(out)
