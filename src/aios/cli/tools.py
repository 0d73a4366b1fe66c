"""`aios tools`: what a running kernel's agents can do, and which definitions are accepted."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aios.cli.remote import Form, Output, Url, ask, group, plain, show
from aios.errors import InvalidArgument, NotFound

if TYPE_CHECKING:
    from aios.sdk.client import Client
    from aios.syscalls.tool import ToolInfo, ToolList

LINE = 72  # characters of a description in a table

tools = group("tools", "Tools of a running kernel.")
Name = Annotated[str, typer.Argument(help="A tool: server/tool.")]
Server = Annotated[
    str, typer.Argument(help="What the server is called: its tools are SERVER/TOOL.")
]
Arguments = Annotated[str, typer.Argument(help="A JSON object.")]
Key = Annotated[str, typer.Option(help="With the same key the call is made once.")]
Pin = Annotated[str, typer.Argument(help="The hash that `show` tells.")]
Words = Annotated[list[str] | None, typer.Argument(help="An MCP server's command, after --.")]
Variables = Annotated[
    list[str] | None, typer.Option("--env", help="NAME=VALUE; secret:NAME takes the vault's.")
]
Hosts = Annotated[
    list[str] | None, typer.Option(help="NAME:PORT that a sandboxed command may reach.")
]
Believe = Annotated[
    bool, typer.Option(help="Take an MCP server's word that a tool only reads, or is closed.")
]
Prefix = Annotated[str, typer.Option(help="Only those whose names begin so.")]
Sandboxed = Annotated[bool, typer.Option(help="Run a command in a sandbox.")]
Stateless = Annotated[
    bool, typer.Option(help="No call leaves in an MCP server what a later one may tell.")
]


@tools.command(name="list")
def list_(prefix: Prefix = "", output: Output = Form.TABLE, url: Url = "") -> None:
    """Tools by name, and whether they are what was accepted."""
    found = ask(url, lambda client: client.tools.list(prefix))
    _show(found, output)


@tools.command(name="show")
def show_(name: Name, output: Output = Form.JSON, url: Url = "") -> None:
    """All that a model is told of a tool, and its hash."""
    show(Form.JSON if output is Form.TABLE else output, _one(url, name), (), ())


@tools.command()
def call(
    name: Name,
    arguments: Arguments = "{}",
    key: Key = "",
    output: Output = Form.TABLE,
    url: Url = "",
) -> None:
    """Call a tool; exits with 1 where the tool says that it failed."""
    result = ask(url, lambda client: client.tools.call(name, arguments, key=key))
    if output is not Form.TABLE:
        show(output, result, (), ())
    else:
        print(result.text)
        for remark in result.remarks:
            typer.echo(f"aios: {plain(remark)}", err=True)
    raise typer.Exit(int(result.is_error))


@tools.command()
def accept(name: Name, pin: Pin, url: Url = "") -> None:
    """Accept a tool's present definition."""
    info = ask(url, lambda client: client.tools.accept(name, pin))
    print(f"{info.name} is accepted as {info.pin}")


@tools.command()
def add(  # noqa: PLR0913 - its options
    name: Server,
    command: Words = None,
    mcp: Annotated[str, typer.Option(help="An MCP server's URL.")] = "",
    manifest: Annotated[Path | None, typer.Option(help="Commands, as TOML.")] = None,
    package: Annotated[str, typer.Option(help="An installed entry point of aios.tools.")] = "",
    env: Variables = None,
    allow_host: Hosts = None,
    sandbox: Sandboxed = True,
    believe_hints: Believe = False,
    stateless: Stateless = False,
    output: Output = Form.TABLE,
    url: Url = "",
) -> None:
    """Connect a server, and accept what it offers now."""
    from aios.syscalls.tool import AddServer

    server = AddServer(
        name=name,
        command=tuple(command or ()),
        url=mcp,
        manifest=str(manifest.absolute()) if manifest else "",
        package=package,
        environment=dict(map(_variable, env or ())),
        sandboxed=sandbox,
        network=tuple(allow_host or ()),
        believe_hints=believe_hints,
        stateless=stateless,
    )
    _show(ask(url, lambda client: client.tools.add(server)), output)


@tools.command()
def remove(name: Server, url: Url = "") -> None:
    """Disconnect a server."""
    ask(url, lambda client: client.tools.remove(name))


def _show(found: "ToolList", output: Form) -> None:
    rows = [
        (plain(one.name), one.state, _marks(one), _line(one.description)) for one in found.tools
    ]
    show(output, found.tools, ("NAME", "STATE", "MARKS", "DESCRIPTION"), rows)


def _marks(info: "ToolInfo") -> str:
    marks = ("final", "outside", "repeatable")
    return ", ".join(mark for mark in marks if getattr(info, mark)) or "-"


def _line(text: str) -> str:
    first = plain((text.splitlines() or [""])[0])
    return first if len(first) <= LINE else f"{first[: LINE - 3]}..."


def _one(url: str, name: str) -> "ToolInfo":
    async def find(client: "Client") -> "ToolList":
        return await client.tools.list(names=(name,))

    found = ask(url, find).tools
    if not found:
        raise NotFound(f"no tool {name!r}")
    return found[0]


def _variable(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not name or not separator:
        raise InvalidArgument(f"expected NAME=VALUE, got {text!r}")
    return name, value
