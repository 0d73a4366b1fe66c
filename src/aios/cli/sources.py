"""Where settings come from: the environment, a project's file, the user's file. Reads them.

A project's file is `aios.toml` in the folder or the nearest one above that has it, if this user
owns it. A key that there is not is an error that names the nearest one there is.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from aios.cli import places
from aios.cli.settings import LIMITS, SETTINGS, STATE, Setting
from aios.config import Limits
from aios.errors import InvalidArgument

PROJECT = "aios.toml"
USER = "config.toml"
DEFAULT = "default"
YES, NO = ("1", "true", "t", "yes", "y", "on"), ("0", "false", "f", "no", "n", "off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A setting's value, and where it comes from."""

    value: Any
    source: str


def found(setting: Setting, config: Path | None = None) -> Found:
    """The value that goes before all others; of a secret, what it is, not where it lies.

    `config` stands for the user's own file.
    """
    return (
        _of_environment(setting)
        or _in_files(setting, config)
        or Found(value=setting.default, source=DEFAULT)
    )


def defaults(command: Any, config: Path | None = None) -> dict[str, Any]:
    """What files say of the options of a command, and of those of each command below it."""
    told: dict[str, Any] = {}
    for _, values in files(config):
        told = {**values, **told}
    return _defaults(command, {SETTINGS[key].env: value for key, value in told.items()})


def _defaults(command: Any, by_env: Mapping[str, Any]) -> dict[str, Any]:
    below = {name: _defaults(one, by_env) for name, one in getattr(command, "commands", {}).items()}
    own = {one.name: by_env[one.envvar] for one in command.params if one.envvar in by_env}
    return below | own


def _in_files(setting: Setting, config: Path | None) -> Found | None:
    for path, told in files(config):
        if setting.key in told:
            value = told[setting.key]
            if setting.is_secret:
                value = _secret(value, f"{path}: {setting.key}")
            return Found(value=value, source=str(path))
    return None


def files(config: Path | None = None) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Each file that there is with its settings by key, the one that goes first first."""
    project = _project(Path.cwd())
    if project is not None:
        told = _read(project)
        trusted = [key for key in told if SETTINGS[key].is_trust]
        if trusted:
            raise InvalidArgument(
                f"{project}: {trusted[0]} says whom this machine trusts, which a project's file "
                f"may not; set it in {config or user_file()}"
            )
        yield project, told
    own = config or user_file()
    if own.is_file():
        yield own, _read(own)
    elif config or os.environ.get("AIOS_CONFIG"):
        raise InvalidArgument(f"expected a file of settings, there is none at {own}")


def user_file() -> Path:
    """The user's own settings, or the file that is named instead."""
    given = os.environ.get("AIOS_CONFIG")
    return Path(given) if given else places.config() / USER


def home(config: Path | None = None) -> Path:
    """The home of the kernel that `aios serve` starts."""
    given = found(STATE, config).value
    return Path(given) if given else places.home()


def limits(config: Path | None = None) -> Limits:
    """The kernel's bounds, with what is set of them."""
    values = {one.name.partition(".")[2]: found(one, config).value for one in LIMITS}
    return Limits(**values)


def _of_environment(setting: Setting) -> Found | None:
    """An empty variable sets nothing."""
    if text := os.environ.get(setting.env):
        return Found(value=_parsed(setting, text), source=f"environment {setting.env}")
    variable = f"{setting.env}_FILE"
    if setting.is_secret and (place := os.environ.get(variable)):
        return Found(value=_secret(place, variable), source=f"environment {variable}")
    return None


def _secret(place: str, source: str) -> str:
    """The last word of a file: a token file has names before its tokens."""
    try:
        words = Path(place).expanduser().read_text().split()
    except (OSError, UnicodeDecodeError) as problem:
        raise InvalidArgument(f"{source}: expected a readable file: {problem}") from None
    if not words:
        raise InvalidArgument(f"{source}: expected a secret in {place}, it is empty")
    return words[-1]


def _project(folder: Path) -> Path | None:
    for place in (folder, *folder.parents):
        file = place / PROJECT
        if file.is_file():
            return file if file.stat().st_uid in (os.getuid(), 0) else None
    return None


def _read(path: Path) -> dict[str, Any]:
    """Settings by key, each of its kind."""
    import tomllib

    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise InvalidArgument(f"{path}: expected TOML: {problem}") from None
    told: dict[str, Any] = {}
    for table, keys in tables.items():
        if not isinstance(keys, dict):
            raise InvalidArgument(f"{path}: {_unknown(table)}")
        for key, value in keys.items():
            told[f"{table}.{key}"] = _checked(path, f"{table}.{key}", value)
    return told


def _checked(path: Path, key: str, value: Any) -> Any:
    setting = SETTINGS.get(key)
    if setting is None:
        raise InvalidArgument(f"{path}: {_unknown(key)}")
    return _converted(setting, value, f"{path}: {key}", strict=True)


def _unknown(key: str) -> str:
    near = get_close_matches(key, SETTINGS, n=1, cutoff=0.5)
    same = [one for one in SETTINGS if one.partition(".")[2] == key.rpartition(".")[2]]
    meant = (same or near)[:1]
    return f"no setting {key!r}" + (f"; did you mean {meant[0]!r}?" if meant else "")


def _parsed(setting: Setting, text: str) -> Any:
    parse = _PARSERS.get(setting.kind, str)
    return _converted(setting, parse(text), setting.env, strict=False)


def _converted(setting: Setting, value: Any, source: str, *, strict: bool) -> Any:
    import msgspec

    try:
        return msgspec.convert(value, setting.kind, strict=strict)
    except msgspec.ValidationError as problem:
        raise InvalidArgument(f"{source}: {problem}") from None


def _truth(text: str) -> Any:
    word = text.strip().lower()
    return True if word in YES else False if word in NO else text


def _table(text: str) -> Any:
    """Pairs `pattern=model` with commas between them."""
    pairs = (pair.partition("=") for pair in text.split(","))
    return {name.strip(): to.strip() for name, _, to in pairs}


_PARSERS: Mapping[Any, Callable[[str], Any]] = {
    bool: _truth,
    list[str]: lambda text: text.split(),
    dict[str, str]: _table,
}
