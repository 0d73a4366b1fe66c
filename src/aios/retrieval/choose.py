"""From a name to an embedder: "ngrams", "core", "openai:URL#model", or a folder with a model.

A home goes by one embedder: by another all its texts are embedded anew. So it remembers the name,
and of a core's embeddings which core's they are.
"""

import os
from collections.abc import Callable
from pathlib import Path

from aios.errors import InvalidArgument
from aios.retrieval.base import Embedder
from aios.retrieval.core import KIND, CoreEmbedder
from aios.retrieval.ngrams import NgramEmbedder

EXPECTED = '"ngrams", "core", "openai:URL#MODEL", or the folder of a sentence-embedding model'
KEY_VARIABLE = "OPENAI_API_KEY"
DEFAULT = "ngrams"
REMEMBERED = "embedder"  # a file in a home


def chosen(name: str, key: str | None = None) -> Embedder:
    """The embedder of that name; `key` is an endpoint's, by default the environment's."""
    kind, _, rest = name.partition(":")
    if kind in _KINDS:
        return _KINDS[kind](rest, key)
    if name and Path(name).is_dir():
        return _folder(name, key)
    raise InvalidArgument(f"no embedder {name!r}; expected {EXPECTED}")


def name_for(home: Path | None, name: str = "") -> str:
    """The embedder that is asked for; else the one that the home went by, else the built-in one."""
    if name:
        return str(Path(name).resolve()) if Path(name).is_dir() else name
    try:
        kept = (home / REMEMBERED).read_text().strip() if home is not None else ""
    except FileNotFoundError:
        kept = ""
    return kept or DEFAULT


def lasting(name: str, embedder: Embedder) -> str:
    """The name to be remembered of an embedder in use: a core's says which core it is."""
    return embedder.name if isinstance(embedder, CoreEmbedder) else name


def remember(home: Path | None, name: str) -> None:
    """From now on the home goes by that embedder. Whoever calls has the home's lock."""
    if home is not None:
        part = home / f"{REMEMBERED}.part"
        part.write_text(f"{name}\n")
        part.replace(home / REMEMBERED)


def _ngrams(rest: str, key: str | None) -> Embedder:
    if rest:
        raise InvalidArgument(f"ngrams takes nothing, got {rest!r}")
    return NgramEmbedder()


def _core(rest: str, key: str | None) -> Embedder:
    return CoreEmbedder(f"{KIND}:{rest}" if rest else "")


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


_KINDS: dict[str, Callable[[str, str | None], Embedder]] = {
    "ngrams": _ngrams,
    KIND: _core,
    "openai": _openai,
}
