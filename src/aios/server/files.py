"""The server's part of a settings file. An unknown key is an error: a typo must not go unseen."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from aios.errors import InvalidArgument
from aios.server.settings import Settings
from aios.server.wire.aliases import EVERY_NAME

NOBODY = "default"  # the process of callers without a token, where no other is named


class _Server(msgspec.Struct, forbid_unknown_fields=True):
    """`aliases` maps patterns of model names to served ones, "" for the default.

    `a2a` maps agents that others may reach by A2A to what they do.
    """

    aliases: dict[str, str] | None = None
    anonymous: str = NOBODY
    a2a: dict[str, str] = {}


class _File(msgspec.Struct, forbid_unknown_fields=True):
    server: _Server = msgspec.field(default_factory=_Server)


def settings(path: Path, *, agents: Mapping[str, str], allow_anonymous: bool) -> Settings:
    """Settings with what the file says; one that is not there says nothing."""
    try:
        told = msgspec.toml.decode(path.read_bytes(), type=_File).server
    except FileNotFoundError:
        told = _Server()
    except (msgspec.DecodeError, UnicodeDecodeError, OSError) as problem:
        raise InvalidArgument(f"{path}: {problem}") from None
    return Settings(
        aliases=EVERY_NAME if told.aliases is None else told.aliases,
        anonymous=told.anonymous if allow_anonymous else "",
        agents=agents,
        a2a=told.a2a,
    )
