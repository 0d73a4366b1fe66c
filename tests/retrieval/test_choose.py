"""Embedders by name, and those of a core."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from aios.errors import CoreFailed, InvalidArgument, WrongState
from aios.retrieval.choose import chosen, lasting, name_for, remember
from aios.retrieval.core import CoreEmbedder


def test_names_choose_embedders() -> None:
    assert chosen("ngrams").name.startswith("ngrams-")
    assert chosen("openai:http://localhost:1/v1#nomic", "key").name == "openai:nomic"


@pytest.mark.parametrize("name", ["", "glove", "ngrams:5", "core:pocket", "core:pocket/0",
                                  "openai:", "openai:ftp://x#m", "openai:http://x",
                                  "/no/such/folder"])  # fmt: skip
def test_a_name_that_is_none_says_what_was_expected(name: str) -> None:
    with pytest.raises(InvalidArgument, match=r"expected|takes nothing"):
        chosen(name)


def test_a_folder_is_taken_for_a_model(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="no model in"):
        chosen(str(tmp_path))


def test_a_home_goes_by_the_last_embedder_that_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert name_for(tmp_path) == name_for(None) == name_for(tmp_path / "nix") == "ngrams"
    remember(tmp_path, "openai:http://localhost:1/v1#nomic")
    assert name_for(tmp_path) == "openai:http://localhost:1/v1#nomic"
    assert name_for(tmp_path, "ngrams") == "ngrams"
    remember(None, "ngrams")
    (tmp_path / "model").mkdir()
    monkeypatch.chdir(tmp_path)
    assert name_for(None, "model") == str(tmp_path / "model")  # wherever it is asked for next


def _lengths(texts: Sequence[str]) -> list[list[float]]:
    return [[float(len(text)), 0.0, 1.0] for text in texts]


def test_a_home_that_goes_by_a_core_remembers_whose_vectors_it_has(tmp_path: Path) -> None:
    embedder = chosen("core")
    with pytest.raises(WrongState, match="no core embeds yet"):
        _ = embedder.name
    assert isinstance(embedder, CoreEmbedder)
    embedder.read_by("pocket/0123", 3, _lengths)
    remember(tmp_path, lasting("core", embedder))
    without_core = chosen(name_for(tmp_path))
    assert (without_core.name, without_core.dimensions) == (embedder.name, 3)
    with pytest.raises(CoreFailed, match="by words only"):
        without_core.embed(["x"])


def test_a_cores_hidden_states_become_unit_vectors() -> None:
    embedder = CoreEmbedder("core:pocket/3", _lengths)
    vectors = embedder.embed(["x" * number for number in range(20)])
    assert np.allclose(vectors[:, 0] / vectors[:, 2], range(20), rtol=1e-5)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)


def test_a_core_that_gives_something_else_is_told_so() -> None:
    with pytest.raises(CoreFailed, match="expected finite"):
        CoreEmbedder("core:pocket/4", _lengths).embed(["x"])
