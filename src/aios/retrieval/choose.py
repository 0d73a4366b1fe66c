"""From a name to an embedder: "ngrams", "openai:URL#model", or a folder with a model."""

import os
from collections.abc import Callable
from pathlib import Path

from aios.errors import InvalidArgument
from aios.retrieval.base import Embedder
from aios.retrieval.ngrams import NgramEmbedder

EXPECTED = '"ngrams", "openai:URL#MODEL", or the folder of a sentence-embedding model'
KEY_VARIABLE = "OPENAI_API_KEY"


def chosen(name: str, key: str | None = None) -> Embedder:
    """The embedder of that name; `key` is an endpoint's, by default the environment's."""
    kind, _, rest = name.partition(":")
    if kind in _KINDS:
        return _KINDS[kind](rest, key)
    if name and Path(name).is_dir():
        return _folder(name, key)
    raise InvalidArgument(f"no embedder {name!r}; expected {EXPECTED}")


def _ngrams(rest: str, key: str | None) -> Embedder:
    if rest:
        raise InvalidArgument(f"ngrams takes nothing, got {rest!r}")
    return NgramEmbedder()


def _openai(rest: str, key: str | None) -> Embedder:
    from aios.retrieval.openai import OpenAIEmbedder

    url, _, model = rest.partition("#")
    if not url.startswith(("http://", "https://")) or not model:
        raise InvalidArgument(
            f"no endpoint and model in {rest!r}; expected http(s)://HOST/v1#MODEL"
        )
    return OpenAIEmbedder(url, model, os.environ.get(KEY_VARIABLE, "") if key is None else key)


def _folder(name: str, key: str | None) -> Embedder:
    from aios.retrieval.sentence import SentenceEmbedder

    return SentenceEmbedder(Path(name))


_KINDS: dict[str, Callable[[str, str | None], Embedder]] = {"ngrams": _ngrams, "openai": _openai}
