"""`aios serve`: a kernel for every program on this machine. The work is `aios.server.daemon`'s."""

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aios.cli import places, policies, settings, sources
from aios.telemetry.log import Form, Level, configure

if TYPE_CHECKING:
    from aios.server.settings import Settings

Host = Annotated[str, settings.HOST.option()]
Port = Annotated[int, settings.PORT.option(min=0, max=65_535)]
Model = Annotated[str, settings.MODEL.option()]
Device = Annotated[str, settings.DEVICE.option()]
Policy = Annotated[str, settings.POLICY.option()]
State = Annotated[Path | None, settings.STATE.option(file_okay=False)]
Embedder = Annotated[str, settings.EMBEDDER.option()]
Anonymous = Annotated[bool, settings.ALLOW_ANONYMOUS.option()]
TokenFile = Annotated[Path | None, settings.TOKENS.option(dir_okay=False)]
Access = Annotated[str, settings.ACCESS.option()]
Tools = Annotated[bool, settings.TOOLS.option()]
Sandbox = Annotated[str, settings.SANDBOX.option()]
AllowHost = Annotated[list[str] | None, settings.ALLOW_HOST.option()]


def _heed(context: typer.Context, config: Path | None) -> Path | None:
    """Before other options are read: what the file says is what they are by default."""
    if config is not None:
        context.default_map = sources.defaults(context.command, config)
    return config


Config = Annotated[
    Path | None,
    typer.Option(
        envvar="AIOS_CONFIG",
        help="A file of settings instead of the user's own.",
        dir_okay=False,
        exists=True,
        is_eager=True,
        callback=_heed,
    ),
]


LogFormat = Annotated[Form, settings.LOG_FORMAT.option()]
LogLevel = Annotated[Level, settings.LOG_LEVEL.option()]
Drain = Annotated[float, settings.DRAIN_S.option(min=0.0, max=86_400.0)]


def serve(  # noqa: PLR0913 - its options
    host: Host = settings.HOST.default,
    port: Port = settings.PORT.default,
    model: Model = settings.MODEL.default,
    device: Device = settings.DEVICE.default,
    policy: Policy = settings.POLICY.default,
    state: State = None,
    embedder: Embedder = settings.EMBEDDER.default,
    allow_anonymous: Anonymous = settings.ALLOW_ANONYMOUS.default,
    token_file: TokenFile = None,
    config: Config = None,
    access: Access = settings.ACCESS.default,
    tools: Tools = settings.TOOLS.default,
    sandbox: Sandbox = settings.SANDBOX.default,
    allow_host: AllowHost = None,
    log_format: LogFormat = settings.LOG_FORMAT.default,
    log_level: LogLevel = settings.LOG_LEVEL.default,
    drain_s: Drain = settings.DRAIN_S.default,
) -> None:
    """Serve this machine's agents: OpenAI's and Anthropic's protocols, and the kernel's own."""
    from aios.server import daemon

    configure(log_format, log_level, sys.stderr)
    server = partial(_settings, token_file, config, is_open=allow_anonymous)
    plan = daemon.Plan(
        host=host,
        port=port,
        model=model,
        device=device,
        policy=policy,
        state=state or places.home(),
        record=places.record(),
        embedder=embedder,
        embedder_key=sources.found(settings.EMBEDDER_KEY, config).value,
        access=lambda: policies.chosen(access),
        builtin=tools,
        sandbox=sandbox,
        hosts=tuple(allow_host or ()),
        limits=sources.limits(config),
        settings=server(),
        again=server,
        drain_s=drain_s,
    )
    raise typer.Exit(daemon.run(plan, _tell))


def _settings(token_file: Path | None, config: Path | None, *, is_open: bool) -> "Settings":
    """The HTTP server's part."""
    from aios.server import tokens
    from aios.server.settings import Settings

    def value(of: settings.Setting) -> Any:
        return sources.found(of, config).value

    return Settings(
        aliases=value(settings.ALIASES),
        anonymous=value(settings.ANONYMOUS) if is_open else "",
        agents=tokens.read(token_file)
        if token_file is not None
        else tokens.read_or_make(places.config() / "tokens"),
    )


def _tell(line: str) -> None:
    print(line, flush=True)
