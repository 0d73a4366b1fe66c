"""The words for a thing that is not there, which are also those for one of somebody else's.

They are the rooms' own words: whoever has no right learns from no difference that there is more.
"""

from aios.access.acts import Row

FAMILIES = {
    "file": "no file or folder {0!r}",
    "history": "no history {0!r}; `list` shows those there are",
    "note": "no note {0!r}; `search` finds those there are",
    "memory": "no block {0!r}; `list` shows those there are",
    "process": "no process {0}; `aios ps` lists those there are",
    "program": "no process {0}; `aios ps` lists those there are",
    "access": "no agent of that name below the caller",
    "budget": "no account of that name that is the caller's",
}


def missing(row: Row, object: str) -> str | None:
    """None where nothing of the kind can be missing."""
    words = FAMILIES.get(row.verb.partition(".")[0])
    return None if words is None else words.format(object)
