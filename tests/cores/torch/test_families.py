"""Families: each is served as transformers computes it, or refused with a reason at the start.

The tables say which is which, so that a change in transformers, or in the proof, is seen.
"""

from pathlib import Path
from typing import Any

import pytest
import torch

from aios.cores.base import Exactness
from aios.cores.torch import attention, lean, proof
from aios.cores.torch.engine import Engine
from aios.cores.torch.forward import Hosted
from aios.cores.torch.lean import FAMILIES, Lean
from aios.cores.torch.load import load
from aios.errors import InvalidArgument
from tests.cores.torch.desk import Desk, generation, prompt, settings, store
from tests.cores.torch.small_models import folder, greedy

TOKENS = 20
DENSE = (
    "bitnet", "cohere", "cohere2", "ctrl", "exaone4", "gemma", "gemma3_text", "glm4", "gpt2",
    "gpt_bigcode", "gpt_neox", "granite", "helium", "llama", "mistral", "nemotron", "olmo",
    "olmo2", "olmo3", "opt", "persimmon", "phi", "phi3", "qwen2", "qwen3", "seed_oss", "smollm3",
    "stablelm", "starcoder2",
)  # fmt: skip
EXPERTS = ("granitemoe", "mixtral", "olmoe", "phimoe", "qwen2_moe", "qwen3_moe")
REFUSED = {
    "bamba": "layers without attention",
    "bert": "logits differ",
    "bloom": "attention interface",
    "deepseek_v3": "heads of different sizes",
    "diffllama": "more than one",
    "doge": "a mask of its own",
    "falcon": "attention interface",
    "gemma2": "a soft cap on scores",
    "gemma4_text": "heads of different sizes",
    "gpt_oss": "attention sinks",
    "gptj": "attention interface",
    "lfm2": "logits differ",
    "mamba": "layers without attention",
    "mpt": "attention interface",
    "qwen3_next": "layers without attention",
}
SMALL: dict[str, dict[str, Any]] = {
    "deepseek_v3": {"n_routed_experts": 4, "n_group": 1, "topk_group": 1, "num_experts_per_tok": 2},
    "gpt_oss": {"num_local_experts": 4, "num_experts_per_tok": 2},
    "qwen3_next": {"num_experts": 4, "num_experts_per_tok": 2},
}


def small(family: str, **changes: Any) -> str:
    """A folder with two layers of that family."""
    return folder(family, num_hidden_layers=2, **changes)


def answers_as_transformers(path: str, tmp_path: Path) -> Engine:
    """Two ragged prompts together, greedily."""
    desk = Desk(settings(path), store(tmp_path))
    prompts = [prompt(3, 30), prompt(4, 9)]
    for place, ids in enumerate(prompts):
        desk.start(generation(f"g{place}", ids, max_tokens=TOKENS))
    desk.run()
    for place, ids in enumerate(prompts):
        assert desk.answer(f"g{place}") == greedy(path, ids, TOKENS)
    return desk.engine


@pytest.mark.parametrize("family", DENSE)
def test_a_dense_family_answers_as_transformers_bit_by_bit(family: str, tmp_path: Path) -> None:
    engine = answers_as_transformers(small(family), tmp_path)

    assert engine.traits.exactness is Exactness.BITWISE


@pytest.mark.parametrize("family", EXPERTS)
def test_experts_answer_as_transformers_and_promise_less(family: str, tmp_path: Path) -> None:
    # How many rows an expert sees depends on the company, and so do the last bits.
    engine = answers_as_transformers(small(family), tmp_path)

    assert engine.traits.exactness is not Exactness.BITWISE


def test_a_family_with_a_window_is_served_within_it(tmp_path: Path) -> None:
    engine = answers_as_transformers(small("mistral", sliding_window=64), tmp_path)

    assert engine.traits.context_tokens == 64


@pytest.mark.parametrize("family", REFUSED)
def test_a_family_that_the_pool_does_not_compute_is_refused(family: str) -> None:
    with pytest.raises(InvalidArgument, match=REFUSED[family]) as refusal:
        load(settings(small(family, **SMALL.get(family, {}))))

    assert family in str(refusal.value)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("family", ["llama", "gpt2", "mixtral"])
def test_wrong_attention_is_found_out(
    family: str, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = small(family)
    load(settings(path, dtype=dtype))
    right = attention._gather

    def shifted(layer: int, table: torch.Tensor, now: Any) -> Any:
        keys, values = right(layer, table, now)
        return keys, values.roll(1, dims=0)

    monkeypatch.setattr(attention, "_gather", shifted)

    with pytest.raises(InvalidArgument, match=f"{family}.*logits differ"):
        load(settings(path, dtype=dtype))


def test_a_proof_leaves_the_model_with_the_attention_of_the_pool() -> None:
    loaded = load(settings(small("gpt2")))

    assert isinstance(loaded.network, Hosted)
    model = loaded.network.model
    assert model.config._attn_implementation == attention.NAME
    assert proof.trace(model).vocab_size == loaded.vocab_size


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_pass_that_is_written_out_computes_what_the_family_does(family: str, dtype: str) -> None:
    loaded = load(settings(small(family), dtype=dtype))

    assert isinstance(loaded.network, Lean)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_written_out_pass_that_is_another_model_is_refused(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(norm: Any) -> Any:
        return lean._Norm(weight=norm.weight.detach(), epsilon=1.0)

    monkeypatch.setattr(lean, "_norm", other)

    with pytest.raises(InvalidArgument, match=f"{family}.*logits differ"):
        load(settings(small(family)))


def test_another_activation_than_the_written_out_one_goes_its_own_way() -> None:
    loaded = load(settings(small("llama", hidden_act="gelu")))

    assert isinstance(loaded.network, Hosted)
