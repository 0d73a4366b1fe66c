"""The one table of settings: what can be set, where, and to what. Reads no file, no environment.

A flag goes before the environment, that before the project's file, that before the user's. A secret
stands in no file of settings and in no flag: `NAME` in the environment, `NAME_FILE` names a file
with it, and so does the key `..._file`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Literal

import typer

from aios.config import Limits
from aios.telemetry.log import Form, Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """`name` is `table.key` of a file; `kind` a type that `msgspec.convert` knows.

    `is_trust`: it says whom this machine trusts, so that a folder which came from elsewhere must
    not set it: a project's file with it is refused.
    """

    name: str
    kind: Any
    default: Any
    env: str
    help: str
    flags: tuple[str, ...] = ()
    is_trust: bool = False
    is_secret: bool = False

    def option(self, **more: Any) -> Any:
        """The option of a command that takes this setting."""
        return typer.Option(*self.flags, **{"envvar": self.env, "help": self.help} | more)

    @property
    def key(self) -> str:
        """As it stands in a file."""
        return f"{self.name}_file" if self.is_secret else self.name


HOST = Setting(
    name="server.host", kind=str, default="127.0.0.1", env="AIOS_HOST", flags=("--host",),
    help="Address to listen at.", is_trust=True,
)  # fmt: skip
PORT = Setting(
    name="server.port", kind=int, default=8642, env="AIOS_PORT", flags=("--port",),
    help="Port to listen at; 0 for any.",
)  # fmt: skip
ALLOW_ANONYMOUS = Setting(
    name="server.allow_anonymous", kind=bool, default=False, env="AIOS_ALLOW_ANONYMOUS",
    flags=("--allow-anonymous/--no-allow-anonymous",),
    help="Let programs on this machine in without a token.", is_trust=True,
)  # fmt: skip
ANONYMOUS = Setting(
    name="server.anonymous", kind=str, default="default", env="AIOS_ANONYMOUS",
    help="The agent as which programs without a token speak.",
)  # fmt: skip
ALIASES = Setting(
    name="server.aliases", kind=dict[str, str], default=MappingProxyType({"*": ""}),
    env="AIOS_ALIASES",
    help='Served models by patterns of names; the first that fits, "" for the default model.',
)  # fmt: skip
LOG_FORMAT = Setting(
    name="server.log_format", kind=Form, default=Form.TEXT, env="AIOS_LOG_FORMAT",
    flags=("--log-format",), help="Lines on stderr for people, or JSON.",
)  # fmt: skip
LOG_LEVEL = Setting(
    name="server.log_level", kind=Level, default=Level.INFO, env="AIOS_LOG_LEVEL",
    flags=("--log-level",), help="From which severity; debug has requests.",
)  # fmt: skip
DRAIN_S = Setting(
    name="server.drain_s", kind=float, default=5.0, env="AIOS_DRAIN_S", flags=("--drain-s",),
    help="Seconds for what runs to end before a stop; the rest is suspended and kept.",
)  # fmt: skip
TOKENS = Setting(
    name="server.token_file", kind=str, default="", env="AIOS_TOKENS", flags=("--token-file",),
    help="Agents' names and tokens; one is made among the settings where none is named.",
    is_trust=True,
)  # fmt: skip
MODEL = Setting(
    name="kernel.model", kind=str, default="pocket", env="AIOS_MODEL", flags=("--model",),
    help='"pocket", a folder of a model, or a hub id.',
)  # fmt: skip
DEVICE = Setting(
    name="kernel.device", kind=str, default="", env="AIOS_DEVICE", flags=("--device",),
    help="auto, cpu, cuda or cuda:1; auto where none is named, but cpu for pocket.",
)  # fmt: skip
POLICY = Setting(
    name="kernel.policy", kind=str, default="rr", env="AIOS_POLICY", flags=("--policy",),
    help="Scheduling: fifo, rr, priority.",
)  # fmt: skip
STATE = Setting(
    name="kernel.state", kind=str, default="", env="AIOS_STATE", flags=("--state",),
    help="The home: all that outlives the kernel; without one `kernel` in the state folder.",
    is_trust=True,
)  # fmt: skip
EMBEDDER = Setting(
    name="kernel.embedder", kind=str, default="", env="AIOS_EMBEDDER", flags=("--embedder",),
    help='What finds by meaning: "ngrams", "core" (the model), openai:URL#MODEL, a folder; '
    "without one what the home went by last.", is_trust=True,
)  # fmt: skip
EMBEDDER_KEY = Setting(
    name="kernel.embedder_key", kind=str, default="", env="OPENAI_API_KEY",
    help="The key of an openai: embedder.", is_trust=True, is_secret=True,
)  # fmt: skip
ACCESS = Setting(
    name="kernel.access", kind=str, default="", env="AIOS_ACCESS", flags=("--access",),
    help="Who may do what: open, personal, strict, or a policy file; without one "
    "policy.toml among the settings, else personal.", is_trust=True,
)  # fmt: skip
TOOLS = Setting(
    name="kernel.tools", kind=bool, default=True, env="AIOS_TOOLS", flags=("--tools/--no-tools",),
    help="Offer the built-in tools.",
)  # fmt: skip
SANDBOX = Setting(
    name="kernel.sandbox", kind=str, default="", env="AIOS_SANDBOX", flags=("--sandbox",),
    help="The sandboxes' tier: bubblewrap, landlock, seatbelt, podman:IMAGE or, at your own "
    "risk, none; the strongest that holds where none is named.", is_trust=True,
)  # fmt: skip
ALLOW_HOST = Setting(
    name="kernel.allow_host", kind=list[str], default=(), env="AIOS_ALLOW_HOST",
    flags=("--allow-host",), is_trust=True,
    help="Let agents fetch pages of it: NAME, NAME:PORT or *.NAME; again for each.",
)  # fmt: skip
URL = Setting(
    name="client.url", kind=str, default="", env="AIOS_URL", flags=("--url",),
    help="The kernel; this machine's if empty.", is_trust=True,
)  # fmt: skip
TOKEN = Setting(
    name="client.token", kind=str, default="", env="AIOS_TOKEN", is_trust=True, is_secret=True,
    help="By which commands speak to a kernel; this machine's own has left one.",
)  # fmt: skip
HOME = Setting(
    name="client.home", kind=str, default="", env="AIOS_HOME", flags=("--home",), is_trust=True,
    help="A stopped kernel's home, to look into.",
)  # fmt: skip
OUTPUT = Setting(
    name="client.output", kind=Literal["table", "json", "yaml"], default="table",
    env="AIOS_OUTPUT", flags=("--output", "-o"), help="How to write the result.",
)  # fmt: skip

_LIMITS: Mapping[str, str] = {
    "processes_max": "Processes that live at once.",
    "calls_max": "Syscalls under way at once.",
    "calls_per_process_max": "Syscalls of one process under way at once.",
    "mail_max": "Messages in one mailbox.",
    "mail_bytes_max": "Bytes of one message.",
    "results_max": "Results of calls with a key that are remembered.",
    "results_age_s": "Seconds that they are remembered.",
    "ended_kept": "Ended processes that can still be looked at.",
    "deadline_s": "Seconds until an LLM call fails that names no deadline.",
    "approval_s": "Seconds for a human to answer; 0: nobody is asked.",
    "engine_crashes_max": "Crashes of the engine that one generation may see.",
    "drain_s": "Seconds that a shutdown waits for what runs to be suspended.",
    "memory_bytes": "Bytes of agents' blocks in RAM.",
    "ram_bytes": "Bytes of suspended generations in RAM, of each engine.",
    "disk_bytes": "Bytes of suspended generations on disk, of each engine.",
}
LIMITS: tuple[Setting, ...] = tuple(
    Setting(
        name=f"limits.{one.name}",
        kind=one.type,
        default=one.default,
        env=f"AIOS_LIMITS_{one.name.upper()}",
        help=_LIMITS[one.name],
    )
    for one in fields(Limits)
)
SETTINGS: Mapping[str, Setting] = {
    one.key: one
    for one in (
        HOST, PORT, ALLOW_ANONYMOUS, ANONYMOUS, ALIASES, TOKENS, LOG_FORMAT, LOG_LEVEL, DRAIN_S,
        MODEL, DEVICE, POLICY, STATE, EMBEDDER, EMBEDDER_KEY, ACCESS, TOOLS, SANDBOX, ALLOW_HOST,
        *LIMITS, URL, TOKEN, HOME, OUTPUT,
    )
}  # fmt: skip
BY_ENV: Mapping[str, Setting] = {one.env: one for one in SETTINGS.values()}
