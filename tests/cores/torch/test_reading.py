"""Vectors of texts: what transformers' own hidden states say, to the bit whoever else is served."""

from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
import torch
import transformers

from aios.cores.torch.engine import Engine
from aios.cores.torch.load import load
from aios.cores.torch.reading import TOKENS_MAX
from aios.models.pocket import PATH
from aios.syscalls.llm import Tokenize
from tests.cores.torch.desk import Desk, generation, prompt, settings, store
from tests.cores.torch.small_models import folder

MODELS = {"pocket": str(PATH)} | {
    family: folder(family) for family in ("llama", "qwen3", "gemma", "opt")
}
TEXTS = ("a", "the whale", "call me Ishmael. " * 6, "some years ago, " * 90)


@cache
def engine(model: str, *, exact: bool = True) -> Engine:
    tiers = store(Path(mkdtemp(prefix="aios-tiers-")))
    return Engine(settings(MODELS[model], exact=exact), tiers)


@cache
def alone_in_fp32(path: str) -> Any:
    return transformers.AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()


def plain(model: str, text: str) -> torch.Tensor:
    """The same mean by transformers alone."""
    ids = engine(model).prepare(Tokenize(text=text))[:TOKENS_MAX]
    with torch.inference_mode():
        found = alone_in_fp32(MODELS[model]).base_model(torch.tensor([ids]), use_cache=False)
    mean: torch.Tensor = found.last_hidden_state[0].double().mean(dim=0)
    return mean


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("model", sorted(MODELS))
def test_a_vector_is_the_mean_of_the_last_hidden_states(model: str, exact: bool) -> None:
    served = engine(model, exact=exact)
    for text in TEXTS:
        vector = torch.tensor(served.embed(text), dtype=torch.float64)
        assert len(vector) == served.traits.embedding_width
        assert torch.allclose(vector, plain(model, text), rtol=1e-3, atol=2e-4)


@pytest.mark.parametrize("model", ["pocket", "llama", "gemma"])
def test_the_same_text_has_the_same_bits_whatever_was_read_or_runs_meanwhile(
    model: str, tmp_path: Path
) -> None:
    alone = [load_and_read(model, text, tmp_path / str(n)) for n, text in enumerate(TEXTS)]
    desk = Desk(settings(MODELS[model]), store(tmp_path))
    desk.start(generation("one", prompt(1, 40)))
    desk.start(generation("two", prompt(2, 90), temperature=1, n=3))
    answers = []
    for text in (*reversed(TEXTS), *TEXTS):
        desk.step()
        answers.append(desk.engine.embed(text))
    desk.run()

    assert answers[4:] == alone
    assert answers[:4] == alone[::-1]


def load_and_read(model: str, text: str, root: Path) -> tuple[float, ...]:
    root.mkdir()
    return Engine(settings(MODELS[model]), store(root)).embed(text)


def test_reading_changes_no_generation_and_takes_no_kv_from_it(tmp_path: Path) -> None:
    answers = []
    for reads in (False, True):
        root = tmp_path / str(reads)
        root.mkdir()
        desk = Desk(settings(MODELS["llama"], kv_bytes=20 << 15), store(root))
        desk.start(generation("one", prompt(1, 200)))
        while desk.told["one"].ended is None:
            desk.step()
            if reads:
                desk.engine.embed(TEXTS[3])
        answers.append((desk.answer("one"), dict(desk.rows), len(desk.told["one"].suspended)))

    assert answers[0] == answers[1]


def test_only_the_beginning_of_a_long_text_is_read() -> None:
    served = engine("llama")
    begun = "once upon a time " * 400
    assert served.embed(f"{begun} there was") == served.embed(f"{begun} there will be")


def test_a_text_of_no_tokens_has_a_vector_of_zeros() -> None:
    served = engine("llama")
    assert served.embed("") == (0.0,) * served.traits.embedding_width


def test_every_family_that_is_served_says_how_wide_its_states_are() -> None:
    assert {model: load(settings(path)).network.width for model, path in MODELS.items()} == {
        "pocket": 128, "llama": 128, "qwen3": 128, "gemma": 128, "opt": 128,
    }  # fmt: skip
