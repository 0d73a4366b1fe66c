"""`aios/search`: the caller's files by words and by meaning."""

from collections.abc import Mapping
from typing import Any

from aios.syscalls.file import FilesFound, SearchFiles
from aios.syscalls.tool import Text
from aios.tools.base import Outside, Terms, Tool
from aios.tools.builtin.base import fields, say, text, tool, whole

FOUND_MAX = 20


async def run(arguments: Mapping[str, Any], outside: Outside) -> tuple[Text, ...]:
    call = SearchFiles(
        query=arguments["query"],
        path=arguments.get("folder", ""),
        limit=arguments.get("limit", 5),
    )
    found: FilesFound = await outside.call(call)
    parts = [f"{one.file.path}\n{one.snippet}".rstrip() for one in found.files]
    if found.pending:
        parts.append(f"[{found.pending} files were just written and are not searched yet]")
    return say("\n\n".join(parts) or "nothing found")


def tools() -> tuple[Tool, ...]:
    return (
        tool(
            "search",
            "Find your files by what is in them.",
            fields(
                query=text("Words, or a sentence of what you look for.", minLength=1),
                folder=text("Look below this folder only.", default=""),
                limit=whole("How many files.", 1, FOUND_MAX, default=5),
            ),
            run,
            Terms(repeatable=True),
        ),
    )
