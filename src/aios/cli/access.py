"""`aios access`: who may do what in a running kernel, why not, and how that is changed."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from aios.cli.remote import Form, Output, Url, ask, group, show, when

if TYPE_CHECKING:
    from aios.syscalls.access import Capability

access = group("access", "Rights of agents: capabilities, groups, and why something is refused.")
Agent = Annotated[str, typer.Argument(help="Whose: travel, or travel/flights for its child.")]
Verbs = Annotated[str, typer.Argument(help="A syscall's name or a pattern: file.read, file.*.")]
Verb = Annotated[str, typer.Argument(help="A syscall's name: file.read.")]
Thing = Annotated[str, typer.Argument(help="What it is done to: a path, a block, a pid.")]
Id = Annotated[str, typer.Argument(help="The capability's id.")]
Owner = Annotated[str, typer.Option(help="Whose things: a pattern of agents; @self for its own.")]
Object = Annotated[str, typer.Option("--object", help="Which things: a pattern.")]
Expires = Annotated[float | None, typer.Option("--expires", help="Seconds until it ends.")]
Uses = Annotated[int | None, typer.Option(help="How many acts it is good for.", min=1)]
Delegable = Annotated[bool, typer.Option("--delegable", help="It may be handed on.")]
Of = Annotated[str, typer.Option(help="The capability that this is a part of.")]
Whose = Annotated[str, typer.Option(help="The agent whose thing it is; its own where empty.")]
Explain = Annotated[bool, typer.Option("--explain", help="Say why, and what would allow it.")]
Add = Annotated[str, typer.Option("--add", help="A group to put it into.")]
Remove = Annotated[str, typer.Option("--remove", help="A group to take it out of.")]
COLUMNS = ("ID", "HOLDER", "VERBS", "OWNER", "OBJECT", "EXPIRES", "USES", "DELEGABLE", "PART OF")


@access.command("list")
def list_(agent: Agent, output: Output = Form.TABLE, url: Url = "") -> None:
    """An agent's capabilities."""
    found = ask(url, lambda client: client.access.list(agent))
    show(output, found, COLUMNS, [_row(one) for one in found.capabilities])


@access.command()
def grant(  # noqa: PLR0913 - its options
    agent: Agent,
    verbs: Verbs,
    owner: Owner = "@self",
    object: Object = "*",
    expires: Expires = None,
    uses: Uses = None,
    delegable: Delegable = False,
    of: Of = "",
    output: Output = Form.TABLE,
    url: Url = "",
) -> None:
    """Give an agent a capability."""
    limits: Any = {"expires_s": expires, "uses": uses}
    given = {name: value for name, value in limits.items() if value is not None}
    one = ask(
        url,
        lambda client: client.access.grant(
            agent, verbs, owner=owner, object=object, delegable=delegable, of=of, **given
        ),
    )
    show(output, one, COLUMNS, [_row(one)])


@access.command()
def revoke(id: Id, url: Url = "") -> None:
    """End a capability, with all that come from it."""
    ask(url, lambda client: client.access.revoke(id))


@access.command()
def check(  # noqa: PLR0913 - its options
    agent: Agent,
    verb: Verb,
    thing: Thing = "",
    owner: Whose = "",
    explain: Explain = False,
    output: Output = Form.TABLE,
    url: Url = "",
) -> None:
    """Tell whether an agent may do something; exit code 1 where it may not at once."""
    found = ask(url, lambda client: client.access.check(verb, thing, owner, agent))
    rows = [("decision", found.decision.value), ("rule", found.rule)]
    if explain:
        rows += [("why", found.reason), ("what would allow it", found.remedy)]
    show(output, found, ("WHAT", "IS"), [row for row in rows if row[1]])
    if found.decision.value != "allow":
        raise typer.Exit(1)


@access.command()
def groups(
    agent: Agent, add: Add = "", remove: Remove = "", output: Output = Form.TABLE, url: Url = ""
) -> None:
    """An agent's privilege groups; put it into one, or take it out."""
    found = ask(url, lambda client: client.access.list(agent))
    if add:
        found = ask(url, lambda client: client.access.add_privilege(agent, add))
    if remove:
        found = ask(url, lambda client: client.access.add_privilege(agent, remove, remove=True))
    show(output, found, ("GROUP",), [(name,) for name in found.groups])


def _row(one: "Capability") -> tuple[str, ...]:
    return (
        one.id,
        one.holder,
        one.verbs,
        one.owner,
        one.object,
        "" if one.expires is None else when(one.expires),
        "" if one.uses is None else str(one.uses),
        "yes" if one.delegable else "",
        one.parent,
    )
