"""The tool family: what an agent can do beside thinking. Pure data.

A tool's name is `server/tool`. Its definition is pinned by a hash: a tool whose
definition changed is refused until the operator accepts the new one.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from aios.syscalls.base import Ok, Syscall

ARGUMENTS_MAX = 1 << 20
BATCH_MAX = 128
ToolName = Annotated[str, Meta(min_length=1, max_length=256)]
Arguments = Annotated[str, Meta(max_length=ARGUMENTS_MAX)]


class ListTools(Syscall["ToolList"], frozen=True, tag="tool.list"):
    """The tools that the caller may call, by name."""

    prefix: Annotated[str, Meta(max_length=256)] = ""
    names: Annotated[tuple[ToolName, ...], Meta(max_length=1_024)] = ()  # these only; empty: all


class CallTool(Syscall["ToolResult"], frozen=True, tag="tool.call"):
    """Run a tool with `arguments`, a JSON object as a model wrote it.

    A mistake that the model can mend is a result with `is_error`, as is the tool's own failure;
    errors of the kernel are for what the caller may not do or the kernel cannot. With a key it is
    made once: after a crash whose outcome nobody knows it raises `OutcomeUnknown`, unless the tool
    declares that twice does no more than once.
    """

    name: ToolName
    arguments: Arguments = "{}"
    timeout_s: Annotated[float, Meta(gt=0, le=86_400)] | None = None  # less than the tool's own


class CallTools(Syscall["ToolResults"], frozen=True, tag="tool.batch"):
    """The calls of one model turn: side by side where their effects allow, results in order."""

    calls: Annotated[tuple[CallTool, ...], Meta(min_length=1, max_length=BATCH_MAX)]


class AcceptTool(Syscall["ToolInfo"], frozen=True, tag="tool.accept"):
    """Pin a tool's present definition, by the hash that was looked at."""

    name: ToolName
    pin: Annotated[str, Meta(min_length=64, max_length=64)]


class AddServer(Syscall["ToolList"], frozen=True, tag="tool.add"):
    """Connect an MCP server, commands with a manifest, or an installed package; its tools, pinned.

    Exactly one of `command`, `url`, `manifest` (a file's path) and `package` (the name of an entry
    point of the group `aios.tools`) is given. It is connected again in the next kernel.
    """

    name: Annotated[str, Meta(min_length=1, max_length=64, pattern="^[a-z0-9_-]+$")]
    command: tuple[str, ...] = ()
    url: str = ""
    manifest: str = ""
    package: str = ""
    environment: Mapping[str, str] = {}  # `secret:NAME` is replaced by the vault's; a URL's headers
    sandboxed: bool = True
    network: tuple[str, ...] = ()  # `host:port` that a sandboxed command may reach
    believe_hints: bool = False  # what an MCP server says of its tools' harmlessness
    stateless: bool = False  # the operator's word: no call leaves there what a later one may tell


class RemoveServer(Syscall[Ok], frozen=True, tag="tool.remove"):
    """Disconnect a server; its tools are gone, its pins stay."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]


class ToolInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A tool as `list` shows it. `parameters` is a JSON schema of type object."""

    name: str
    description: str
    parameters: dict[str, Any]
    pin: str
    state: Literal["ready", "changed", "gone"] = "ready"
    repeatable: bool = False
    final: bool = False
    outside: bool = False
    source: str = ""


class ToolList(msgspec.Struct, frozen=True):
    """In order of name. `sandbox` is the tier that untrusted code runs under; empty: none."""

    tools: tuple[ToolInfo, ...]
    sandbox: str = ""


class Text(msgspec.Struct, frozen=True, tag="text", tag_field="type"):
    text: str


class Json(msgspec.Struct, frozen=True, tag="json", tag_field="type"):
    value: Any


class Image(msgspec.Struct, frozen=True, tag="image", tag_field="type"):
    data: bytes
    media_type: str


class FileRef(msgspec.Struct, frozen=True, tag="file", tag_field="type"):
    """A file in the caller's own root."""

    path: str
    bytes: int


Content = Text | Json | Image | FileRef


def text_of(one: Content) -> str:
    """The content for whoever reads text alone."""
    if isinstance(one, Text):
        return one.text
    if isinstance(one, Json):
        return msgspec.json.encode(one.value).decode()
    if isinstance(one, Image):
        return f"[an image, {one.media_type}, {len(one.data):,} bytes]"
    return f"[a file, {one.path}, {one.bytes:,} bytes]"


class ToolResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a call came to.

    `remarks` tell what was done to the arguments or the result (repaired, cut); `sandbox` is the
    tier it ran under, empty where it needed none; `source` is where the contents come from, empty
    where they are the operator's own.
    """

    contents: tuple[Content, ...]
    is_error: bool = False
    remarks: tuple[str, ...] = ()
    sandbox: str = ""
    source: str = ""
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """All contents as one text."""
        return "\n".join(map(text_of, self.contents))


class ToolResults(msgspec.Struct, frozen=True):
    """One result per call, in the calls' order."""

    results: tuple[ToolResult, ...]
