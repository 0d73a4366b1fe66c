"""`aios policy`: by which rule lanes are given out, seen and changed while calls run."""

from typing import Annotated

import typer

from aios.cli.paint import count, span
from aios.cli.remote import Form, Output, Url, ask, show

COLUMNS = ("POLICY", "IN FORCE", "CALLS", "WAIT P50", "WAIT P90", "LONGEST", "SWITCHES")
Name = Annotated[
    str, typer.Argument(help="The policy from now on: fifo, rr, priority.", show_default=False)
]
SliceTokens = Annotated[
    int | None, typer.Option(help="Tokens of a slice, of rr.", min=1, max=1_000_000)
]
AgeS = Annotated[
    float | None,
    typer.Option(help="Seconds of waiting that are worth a priority, of priority.", max=86_400.0),
]


def policy(
    name: Name = "",
    slice_tokens: SliceTokens = None,
    age_s: AgeS = None,
    output: Output = Form.TABLE,
    url: Url = "",
) -> None:
    """Show how long calls lately waited under each policy, or change it; no call is lost."""
    if not name and (slice_tokens is not None or age_s is not None):
        raise typer.BadParameter("expected the name of the policy whose option that is")
    found = ask(
        url,
        lambda client: (
            client.scheduler.set_policy(name, slice_tokens=slice_tokens, age_s=age_s)
            if name
            else client.scheduler.show()
        ),
    )
    waits = {one.policy: one for one in found.waits}
    rows = []
    for known in found.known:
        mark = "yes" if known == found.policy else ""
        seen = waits.get(known)
        if seen is None:
            rows.append((known, mark, "0", "-", "-", "-", "-"))
            continue
        spans = (span(seen.p50_s), span(seen.p90_s), span(seen.longest_s))
        rows.append((known, mark, count(seen.calls), *spans, count(seen.switches)))
    show(output, found, COLUMNS, rows)
