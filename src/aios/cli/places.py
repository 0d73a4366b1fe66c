"""Where a user's files lie, by the XDG rules. Looks at the environment, touches no file."""

import os
import tempfile
from pathlib import Path

NAME = "aios"


def config() -> Path:
    """Settings and tokens."""
    return _xdg("XDG_CONFIG_HOME", ".config")


def state() -> Path:
    """What a kernel keeps between two runs."""
    return _xdg("XDG_STATE_HOME", ".local/state")


def home() -> Path:
    """The home of the kernel that `aios serve` starts, where no setting names another."""
    return state() / "kernel"


def record() -> Path:
    """The running server's record."""
    given = os.environ.get("XDG_RUNTIME_DIR")
    base = Path(given) / NAME if given else Path(tempfile.gettempdir()) / f"{NAME}-{os.getuid()}"
    return base / "server.json"


def _xdg(variable: str, default: str) -> Path:
    given = os.environ.get(variable)
    base = Path(given) if given else Path.home() / default
    return base / NAME
