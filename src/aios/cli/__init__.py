"""The command line: one file per command. Start it with `main`."""

from aios.cli.app import main

__all__ = ["main"]
