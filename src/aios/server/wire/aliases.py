"""Which served model a name means. Pure; the names that are served are told to it."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from aios.errors import NotFound

EVERY_NAME: Mapping[str, str] = {"*": ""}  # a program's own model name runs on the default model


class Aliases:
    """`table` maps patterns (`gpt-*`) to served models, "" for the default; the first one wins."""

    def __init__(self, table: Mapping[str, str] = EVERY_NAME) -> None:
        self._table = table

    def model(self, name: str, served: Sequence[str]) -> str:
        """The served model; `served` names the default first."""
        if name in served:
            return name
        if not name:
            return served[0]
        for pattern, meant in self._table.items():
            if fnmatchcase(name, pattern) and (meant or served[0]) in served:
                return meant or served[0]
        raise NotFound(f"no model {name!r}; served: {', '.join(served)}")
