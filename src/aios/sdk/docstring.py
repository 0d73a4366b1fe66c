"""Reads a Google-style docstring: its first paragraph and its `Args:` section. Pure text."""

import inspect
import re
from dataclasses import dataclass

_SECTION = re.compile(r"^[A-Z][A-Za-z ]*:\s*$")
_ARGUMENT = re.compile(r"^\*{0,2}(?P<name>\w+)\s*(\(.*?\))?:\s*(?P<text>.*)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Docstring:
    """What a docstring says about a function and about each of its parameters."""

    summary: str
    arguments: dict[str, str]


def read_docstring(text: str | None) -> Docstring:
    """Both parts; what is missing is empty."""
    lines = inspect.cleandoc(text or "").splitlines()
    return Docstring(summary=_summary(lines), arguments=_arguments(_section(lines, "Args:")))


def _summary(lines: list[str]) -> str:
    paragraph: list[str] = []
    for line in lines:
        if not line.strip() or _SECTION.match(line):
            break
        paragraph.append(line.strip())
    return " ".join(paragraph)


def _section(lines: list[str], title: str) -> list[str]:
    """The indented lines below `title`, dedented."""
    titles = [number for number, line in enumerate(lines) if line.rstrip() == title]
    if not titles:
        return []
    body: list[str] = []
    for line in lines[titles[0] + 1 :]:
        if line.strip() and not line.startswith(" "):
            break
        body.append(line)
    return inspect.cleandoc("\n".join(["", *body])).splitlines()


def _arguments(lines: list[str]) -> dict[str, str]:
    """One entry per unindented `name: text`; deeper lines go on with the entry above them."""
    found: dict[str, str] = {}
    name = ""
    for line in lines:
        entry = _ARGUMENT.match(line)
        if entry:
            name = entry["name"]
            found[name] = entry["text"].strip()
        elif name and line.strip():
            found[name] = f"{found[name]} {line.strip()}".strip()
    return found
