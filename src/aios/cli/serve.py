"""`aios serve`: a kernel for every program on this machine. The work is `aios.server.daemon`'s."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aios.cli import places, policies
from aios.cli.policies import Access
from aios.telemetry.log import Form, Level, configure

if TYPE_CHECKING:
    from aios.server.settings import Settings

PORT = 8642
Host = Annotated[str, typer.Option(envvar="AIOS_HOST", help="Address to listen at.")]
Port = Annotated[
    int, typer.Option(envvar="AIOS_PORT", help="Port to listen at; 0 for any.", min=0, max=65_535)
]
Model = Annotated[
    str, typer.Option(envvar="AIOS_MODEL", help='"pocket", a folder of a model, or a hub id.')
]
Device = Annotated[
    str,
    typer.Option(
        envvar="AIOS_DEVICE",
        help="auto, cpu, cuda or cuda:1; auto where none is named, but cpu for pocket.",
    ),
]
Policy = Annotated[str, typer.Option(envvar="AIOS_POLICY", help="Scheduling: fifo, rr, priority.")]
State = Annotated[
    Path | None,
    typer.Option(
        envvar="AIOS_STATE", help="The home: all that outlives the kernel.", file_okay=False
    ),
]
Embedder = Annotated[
    str,
    typer.Option(
        envvar="AIOS_EMBEDDER",
        help='What finds by meaning: "ngrams", "core" (the model), openai:URL#MODEL, a folder.',
    ),
]
Anonymous = Annotated[bool, typer.Option(help="Let programs on this machine in without a token.")]
TokenFile = Annotated[
    Path | None,
    typer.Option(envvar="AIOS_TOKENS", help="Agents' names and tokens.", dir_okay=False),
]
Config = Annotated[
    Path | None,
    typer.Option(envvar="AIOS_CONFIG", help="Settings, as TOML.", dir_okay=False, exists=True),
]
Tools = Annotated[
    bool, typer.Option("--tools/--no-tools", envvar="AIOS_TOOLS", help="Offer the built-in tools.")
]
AllowHost = Annotated[
    list[str] | None,
    typer.Option(
        envvar="AIOS_ALLOW_HOST",
        help="Let agents fetch pages of it: NAME, NAME:PORT or *.NAME; again for each.",
    ),
]


Sandbox = Annotated[
    str,
    typer.Option(
        envvar="AIOS_SANDBOX",
        help="The sandboxes' tier: bubblewrap, landlock, seatbelt, podman:IMAGE or, at your own "
        "risk, none; the strongest that holds where none is named.",
    ),
]


LogFormat = Annotated[
    Form, typer.Option(envvar="AIOS_LOG_FORMAT", help="Lines on stderr for people, or JSON.")
]
LogLevel = Annotated[
    Level, typer.Option(envvar="AIOS_LOG_LEVEL", help="From which severity; debug has requests.")
]
Drain = Annotated[
    float,
    typer.Option(
        envvar="AIOS_DRAIN_S",
        help="Seconds for what runs to end before a stop; the rest is suspended and kept.",
        min=0.0,
        max=86_400.0,
    ),
]


def serve(  # noqa: PLR0913 - its options
    host: Host = "127.0.0.1",
    port: Port = PORT,
    model: Model = "pocket",
    device: Device = "",
    policy: Policy = "rr",
    state: State = None,
    embedder: Embedder = "",
    allow_anonymous: Anonymous = False,
    token_file: TokenFile = None,
    config: Config = None,
    access: Access = "",
    tools: Tools = True,
    sandbox: Sandbox = "",
    allow_host: AllowHost = None,
    log_format: LogFormat = Form.TEXT,
    log_level: LogLevel = Level.INFO,
    drain_s: Drain = 5.0,
) -> None:
    """Serve this machine's agents: OpenAI's and Anthropic's protocols, and the kernel's own."""
    from aios.server import daemon, files, tokens

    configure(log_format, log_level, sys.stderr)

    def settings() -> "Settings":
        return files.settings(
            config or places.config() / "config.toml",
            agents=(
                tokens.read(token_file)
                if token_file is not None
                else tokens.read_or_make(places.config() / "tokens")
            ),
            allow_anonymous=allow_anonymous,
        )

    plan = daemon.Plan(
        host=host,
        port=port,
        model=model,
        device=device,
        policy=policy,
        state=state or places.home(),
        record=places.record(),
        embedder=embedder,
        access=lambda: policies.chosen(access),
        builtin=tools,
        sandbox=sandbox,
        hosts=tuple(allow_host or ()),
        settings=settings(),
        again=settings,
        drain_s=drain_s,
    )
    raise typer.Exit(daemon.run(plan, _tell))


def _tell(line: str) -> None:
    print(line, flush=True)
