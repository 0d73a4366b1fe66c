"""Fetches a model from the hub into this user's cache, where engines look for a hub id too."""

import errno
import os
import sys
from collections.abc import Mapping

from aios.errors import AiosError, Denied, InvalidArgument, NoSpace, NotFound, WrongState

WANTED = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja")  # no weights of other kinds
NO_PLACE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)


def fetched(id: str, revision: str = "") -> str:
    """The folder; what lies there already is not fetched again. Progress is told on a terminal."""
    if not sys.stderr.isatty():
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    try:
        import huggingface_hub as hub
        from huggingface_hub import errors
    except ImportError:
        raise WrongState("expected the extra `local`: pip install 'aios-kernel[local]'") from None

    meant: Mapping[type[Exception], AiosError] = {
        errors.HFValidationError: InvalidArgument(f"expected ORG/MODEL, got {id!r}"),
        errors.GatedRepoError: Denied(f"{id} asks who you are: set HF_TOKEN"),
        errors.RepositoryNotFoundError: NotFound(f"the hub has no model {id!r} that you may see"),
        errors.RevisionNotFoundError: NotFound(f"{id} has no revision {revision!r}"),
        errors.LocalEntryNotFoundError: NotFound(
            f"the hub cannot be reached, and {id} is not in the cache; give a folder instead"
        ),
    }
    try:
        return str(
            hub.snapshot_download(id, revision=revision or None, allow_patterns=list(WANTED))
        )
    except tuple(meant) as problem:
        kind = next(one for one in type(problem).__mro__ if one in meant)
        raise meant[kind] from None
    except OSError as problem:
        if problem.errno in NO_PLACE:
            raise NoSpace(f"{id} cannot be kept: {problem}") from None
        raise NotFound(f"the hub did not answer for {id}: {problem}") from None
    except errors.HTTPError as problem:  # type: ignore[attr-defined]  # its HTTP library's
        raise NotFound(f"the hub did not answer for {id}: {problem}") from None
