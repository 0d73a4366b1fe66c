"""`aios models`: what a running kernel serves."""

import typer

from aios.cli.remote import Form, Output, Url, ask, show

models = typer.Typer(help="Models of a running kernel.", no_args_is_help=True)
COLUMNS = ("NAME", "CONTEXT", "KV TOKENS", "LANES", "EXACTNESS", "DEVICE")


@models.callback()
def _() -> None:
    """Models of a running kernel."""


@models.command("list")
def list_(output: Output = Form.TABLE, url: Url = "") -> None:
    """List the models, the default one first."""
    found = ask(url, lambda client: client.models())
    rows = [
        (
            one.name, str(one.context_tokens), str(one.kv_tokens), str(one.lanes),
            one.exactness, one.device,
        )
        for one in found.models
    ]  # fmt: skip
    show(output, found.models, COLUMNS, rows)
