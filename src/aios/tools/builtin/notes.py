"""`aios/notes_*`: the caller's long-term memory, through the syscalls."""

from collections.abc import Mapping
from typing import Any

from aios.syscalls import note
from aios.syscalls.tool import Text
from aios.tools.base import Outside, Terms, Tool
from aios.tools.builtin.base import fields, say, text, tool, whole, words

FOUND_MAX = 20


async def add(arguments: Mapping[str, Any], outside: Outside) -> tuple[Text, ...]:
    call = note.Add(text=arguments["text"], tags=tuple(arguments.get("tags", ())))
    made: note.Note = await outside.call(call)
    return say(f"remembered as {made.id}")


async def search(arguments: Mapping[str, Any], outside: Outside) -> tuple[Text, ...]:
    call = note.Search(
        query=arguments.get("query", ""),
        tags=tuple(arguments.get("tags", ())),
        limit=arguments.get("limit", 5),
    )
    found: note.NotesFound = await outside.call(call)
    return say("\n\n".join(_told(one.note) for one in found.notes) or "nothing is remembered")


async def update(arguments: Mapping[str, Any], outside: Outside) -> tuple[Text, ...]:
    made: note.Note = await outside.call(note.Update(id=arguments["id"], text=arguments["text"]))
    return say(f"{made.id}: changed, version {made.version}")


async def remove(arguments: Mapping[str, Any], outside: Outside) -> tuple[Text, ...]:
    await outside.call(note.Remove(id=arguments["id"]))
    return say(f"{arguments['id']}: forgotten")


def tools() -> tuple[Tool, ...]:
    tags = words("Short labels, such as: food, travel.", default=[])
    number = text("As notes_search tells it.", minLength=1)
    return (
        tool(
            "notes_add",
            "Remember something for later conversations.",
            fields(text=text("What to remember, in full sentences.", minLength=1), tags=tags),
            add,
        ),
        tool(
            "notes_search",
            "Find what you remembered. Without a query: the newest.",
            fields(
                query=text("What it is about.", default=""),
                tags=tags,
                limit=whole("How many.", 1, FOUND_MAX, default=5),
            ),
            search,
            Terms(repeatable=True),
        ),
        tool(
            "notes_update",
            "Change something that you remembered.",
            fields(id=number, text=text("The new text.", minLength=1)),
            update,
        ),
        tool("notes_remove", "Forget something for good.", fields(id=number), remove),
    )


def _told(one: note.Note) -> str:
    tags = f" ({', '.join(one.tags)})" if one.tags else ""
    return f"{one.id}{tags}: {one.text}"
