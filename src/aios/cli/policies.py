"""Which policy a command's kernel goes by: a profile, a file, or this user's own file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from aios.cli import places, settings
from aios.errors import InvalidArgument

if TYPE_CHECKING:
    from aios.access.policy import Policy

USUAL = "personal"
Access = Annotated[str, settings.ACCESS.option()]


def chosen(given: str) -> "Policy":
    """Raises `InvalidArgument` for what is no policy; reads the file anew each time."""
    from aios.access.policy import PROFILES, parse

    usual = places.config() / "policy.toml"
    name = given or (str(usual) if usual.is_file() else USUAL)
    if name in PROFILES:
        return PROFILES[name]
    try:
        text = Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise InvalidArgument(
            f"expected one of {list(PROFILES)} or a policy file, got {name!r}: {problem}"
        ) from None
    return parse(text, name)
