"""`aios version`."""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of

PACKAGE = "aios-kernel"


def version() -> None:
    """Show the version."""
    try:
        print(f"aios {version_of(PACKAGE)}")
    except PackageNotFoundError:
        print("aios, run from its source folder")
