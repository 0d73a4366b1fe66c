"""An installed package as what is started: its command, and that the kernel has what it needs."""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from aios.cli.packages.manifest import Manifest, manifest_in
from aios.cli.packages.store import folder_of
from aios.cli.remote import ask
from aios.cli.started import Start
from aios.errors import InvalidArgument, NotFound

if TYPE_CHECKING:
    from aios.sdk.client import Client


def prepared(url: str, name: str, words: Sequence[str], asked: Start) -> Start:
    """What is asked for, completed by what the package says and was granted."""
    folder = folder_of(name)
    manifest = manifest_in(folder)
    ask(url, lambda client: _expect_needs(client, manifest))
    path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH", ""))))
    return replace(
        asked,
        name=asked.name or manifest.name,
        argv=command(manifest, folder, words),
        environment={**manifest.environment},
        settings={"PYTHONPATH": path},
        grants=(*manifest.grants, *asked.grants),
    )


def command(manifest: Manifest, folder: Path, words: Sequence[str]) -> tuple[str, ...]:
    """A command's words that name files of the package name them wherever it is run."""
    entry = manifest.entry
    if not isinstance(entry, str):
        return (*(_placed(word, folder) for word in entry), *words)
    if len(words) > 1:
        raise InvalidArgument(f"{manifest.name}: expected one argument, got {len(words)}")
    path, _, name = entry.partition(":")
    return (sys.executable, "-m", "aios.cli.here", f"{_placed(path, folder)}:{name}", *words)


def _placed(word: str, folder: Path) -> str:
    if word == "python":
        return sys.executable
    return str(folder / word) if (folder / word).is_file() else word


async def _expect_needs(client: "Client", manifest: Manifest) -> None:
    model = (await client.models()).models[0]
    if model.context_tokens < manifest.model.context_tokens:
        raise InvalidArgument(
            f"{manifest.name}: expected a model with {manifest.model.context_tokens} tokens of "
            f"context; {model.name} has {model.context_tokens}"
        )
    if manifest.tools:
        there = {one.name for one in (await client.tools.list(names=manifest.tools)).tools}
        missing = sorted({*manifest.tools} - there)
        if missing:
            raise NotFound(f"{manifest.name}: the kernel has no tools {missing}, which it needs")
