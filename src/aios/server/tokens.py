"""A file of fixed tokens: one agent a line, its name and its secret. For the owner's eyes only."""

import os
import secrets
import stat
from pathlib import Path

from aios.errors import InvalidArgument, NotFound

FIRST = "default"  # the agent of a file that is made here
TOKEN_MIN = 16


def read(path: Path) -> dict[str, str]:
    """Names by token, in the file's order."""
    try:
        mode = path.stat().st_mode
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        raise NotFound(f"no token file {path}") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise InvalidArgument(f"expected a readable token file: {problem}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InvalidArgument(f"expected {path} to be its owner's alone: chmod 600 {path}")
    agents: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 2 or len(words[1]) < TOKEN_MIN or words[1] in agents:
            raise InvalidArgument(
                f"{path}, line {number}: expected a name and a token of its own, "
                f"of at least {TOKEN_MIN} characters"
            )
        agents[words[1]] = words[0]
    return agents


def read_or_make(path: Path) -> dict[str, str]:
    """The same; where there is no file yet, one with a first agent is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return read(path)
    with os.fdopen(made, "w") as file:
        file.write(f"{FIRST} aios-{secrets.token_hex(16)}\n")
    return read(path)
