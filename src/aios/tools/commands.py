"""Commands with a manifest as tools: each call is one job in a fresh sandbox.

The sandbox is given; without one there are no commands. Knows no tier.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from aios.errors import InvalidArgument
from aios.sandbox.base import Bounds, Egress, File, Job, Outcome, Sandbox, Whose
from aios.syscalls.file import ReadFile, WriteFile
from aios.syscalls.tool import Content, FileRef, Json, Text
from aios.tools.base import Outside, Ran, Tool
from aios.tools.manifest import Command, Element
from aios.tools.naming import info_of
from aios.tools.touches import check_touches

_FIELD = re.compile(r"\{([A-Za-z0-9_]+)\}")
ENDED = {
    "timeout": "it was ended at its time limit",
    "memory": "it was ended at its memory limit",
    "signalled": "it was ended by signal {code}",
    "refused": "the sandbox refused to run it",
    "exited": "it exited with status {code}",
}


class Commands:
    """A `Source` of what a manifest lists, which is read once."""

    def __init__(self, name: str, commands: Mapping[str, Command], sandbox: Sandbox) -> None:
        self.name = name
        self._tools = tuple(_tool(name, tool, commands[tool], sandbox) for tool in commands)

    async def tools(self) -> tuple[Tool, ...]:
        return self._tools

    async def close(self) -> None:
        """The sandbox is somebody else's."""


def _tool(server: str, name: str, command: Command, sandbox: Sandbox) -> Tool:
    whole = f"{server}/{name}"
    terms = command.terms(whole)
    check_touches(terms.touches, command.schema)
    _check_fields(whole, command)

    async def run(arguments: Mapping[str, Any], outside: Outside) -> Ran:
        job = await _job(whole, command, arguments, outside)
        return await _ran(command, await sandbox.run(job), outside)

    program = command.program
    info = info_of(whole, command.description, command.schema, terms, program)
    return Tool(info=info, terms=terms, run=run, program=program)


async def _job(name: str, command: Command, arguments: Mapping[str, Any], outside: Outside) -> Job:
    values = _with_defaults(command, arguments)
    secrets = {name: outside.secret(name) for name in command.secrets}
    return Job(
        argv=tuple(_argv(command.argv, values)),
        stdin="".join(_filled(command.stdin, values)).encode() if command.stdin else b"",
        environment={**command.environment, **secrets},
        files=tuple([await _brought(path, outside) for path in _paths(command.files, values)]),
        egress=Egress(command.network) if command.network else None,
        bounds=Bounds(
            wall_s=command.timeout_s, cpu_s=command.timeout_s, memory_bytes=command.memory_bytes
        ),
        collect=command.collect,
        whose=Whose(outside.agent, outside.pid, name),
    )


async def _ran(command: Command, outcome: Outcome, outside: Outside) -> Ran:
    remarks = tuple(f"not kept: {one}" for one in outcome.not_collected)
    if outcome.is_cut:
        remarks = (*remarks, "cut: its output was longer")
    told = outcome.stdout.decode(errors="replace")
    if outcome.ended != "exited" or outcome.code:
        why = ENDED[outcome.ended].format(code=outcome.code)
        more = outcome.stderr.decode(errors="replace").strip() or told.strip()
        said = Text(f"{why}: {more}" if more else why)
        return Ran(contents=(said,), is_error=True, remarks=remarks, sandbox=outcome.tier)
    kept = [await _kept(file, outside) for file in outcome.files]
    contents = (_content(command, told, outcome), *kept)
    return Ran(contents=contents, remarks=remarks, sandbox=outcome.tier)


def _content(command: Command, told: str, outcome: Outcome) -> Content:
    if command.output == "text" or outcome.is_cut:
        return Text(told)
    try:
        return Json(msgspec.json.decode(outcome.stdout))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Text(told)


async def _brought(path: str, outside: Outside) -> File:
    return File(path, (await outside.call(ReadFile(path=path))).data)


async def _kept(file: File, outside: Outside) -> FileRef:
    await outside.call(WriteFile(path=file.path, data=file.data))
    return FileRef(file.path, len(file.data))


def _argv(elements: Sequence[Element], values: Mapping[str, Any]) -> Iterator[str]:
    is_literal = True  # until the first argument, and after `--`: nothing there is an option
    for element in elements:
        parts = (element,) if isinstance(element, str) else element
        if any(name not in values for part in parts for name in _FIELD.findall(part)):
            continue
        for part in parts:
            for word in _filled(part, values):
                if part.startswith("{") and word.startswith("-") and is_literal:
                    raise InvalidArgument(
                        f"{word[:40]!r}: expected a value that does not begin with -, which would "
                        "be an option"
                    )
                yield word
            is_literal = is_literal and part != "--"


def _filled(template: str, values: Mapping[str, Any]) -> list[str]:
    """The template with arguments in it; one for each item where it is nothing but an array."""
    alone = _FIELD.fullmatch(template)
    if alone is not None and isinstance(values.get(alone[1]), list):
        return [_word(one) for one in values[alone[1]]]
    return [_FIELD.sub(lambda field: _word(values.get(field[1], "")), template)]


def _word(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    if "\0" in text:
        raise InvalidArgument("expected text without NUL, which no command can be given")
    return text


def _paths(templates: Sequence[str], values: Mapping[str, Any]) -> list[str]:
    given = (one for one in templates if all(name in values for name in _FIELD.findall(one)))
    return list(dict.fromkeys(path for one in given for path in _filled(one, values)))


def _with_defaults(command: Command, arguments: Mapping[str, Any]) -> dict[str, Any]:
    properties = command.schema["properties"].items()
    return {name: one["default"] for name, one in properties if "default" in one} | dict(arguments)


def _check_fields(name: str, command: Command) -> None:
    """Raise `InvalidArgument` for a template that names what is no parameter."""
    parts = [part for one in command.argv for part in ((one,) if isinstance(one, str) else one)]
    known = command.schema["properties"]
    for template in (*parts, command.stdin, *command.files):
        for field in _FIELD.findall(template):
            if field not in known:
                raise InvalidArgument(
                    f"{name}: {template!r}: expected a parameter in braces, one of {sorted(known)}"
                )
