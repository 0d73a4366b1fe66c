"""Random models of any family of transformers, small enough to be made and saved on the spot."""

from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import torch
import transformers

from tests.cores.torch.small_tokenizers import byte_level

VOCAB = 512  # more than the tokenizer has
END = 0  # the tokenizer's <|im_end|>

torch.set_num_threads(1)
transformers.utils.logging.disable_progress_bar()

FAMILIES = ("llama", "mistral", "qwen2", "qwen3")  # those that the engine's own tests go through
EXTRAS: dict[str, dict[str, Any]] = {
    "mistral": {"sliding_window": None},
    "mixtral": {"sliding_window": None, "num_local_experts": 4},
    "qwen3": {"head_dim": 32},
    "qwen3_moe": {"head_dim": 32, "num_experts": 4, "num_experts_per_tok": 2,
                  "moe_intermediate_size": 64},
    # Tied embeddings would let a random model repeat its last token for ever.
    "gemma": {"head_dim": 32, "tie_word_embeddings": False},
    "gemma2": {"head_dim": 32, "tie_word_embeddings": False},
    "gemma3_text": {"head_dim": 32, "tie_word_embeddings": False},
    "lfm2": {"layer_types": ["full_attention", "conv"]},
    "helium": {"head_dim": 32},
    "starcoder2": {"tie_word_embeddings": False},
    "opt": {
        "word_embed_proj_dim": 128, "ffn_dim": 320, "init_std": 0.08, "tie_word_embeddings": False,
    },
    "granite": {"logits_scaling": 3.0, "attention_multiplier": 0.3, "residual_multiplier": 0.7},
    "cohere": {"logit_scale": 0.25},
}  # fmt: skip


@cache
def folder(family: str = "llama", **changes: Any) -> str:
    """A folder with a model of that family: hidden 128, 4 layers, 4 heads, 2 KV heads."""
    values: dict[str, Any] = {
        "vocab_size": VOCAB,
        "hidden_size": 128,
        "intermediate_size": 320,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 2048,
        "initializer_range": 0.08,
        "bos_token_id": None,
        "eos_token_id": END,
        "pad_token_id": None,
    }
    torch.manual_seed(7)
    config = transformers.AutoConfig.for_model(
        family, **(values | EXTRAS.get(family, {}) | changes)
    )
    model = transformers.AutoModelForCausalLM.from_config(config)
    for name, weights in model.named_parameters():
        if name.endswith("bias"):  # Zero biases would hide a path that ignores them.
            torch.nn.init.normal_(weights, std=0.05)
    path = mkdtemp(prefix="aios-model-")
    model.save_pretrained(path)
    byte_level().save_pretrained(path)
    return path


@cache
def reference(path: str, device: str = "cpu") -> Any:
    """The same model as transformers runs it by itself."""
    return transformers.AutoModelForCausalLM.from_pretrained(path).eval().to(device)


def greedy(
    path: str, prompt: tuple[int, ...], tokens_max: int, device: str = "cpu"
) -> tuple[int, ...]:
    """What transformers' own greedy generation answers."""
    ids = torch.tensor([prompt], device=device)
    out = reference(path, device).generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=tokens_max,
        do_sample=False,
        pad_token_id=END,
    )
    return tuple(out[0, len(prompt) :].tolist())


def beams(
    path: str, prompt: tuple[int, ...], tokens_max: int, device: str = "cpu", **how: Any
) -> Any:
    """What transformers' own beam search answers: token ids and scores, best first."""
    ids = torch.tensor([prompt], device=device)
    out = reference(path, device).generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=tokens_max,
        do_sample=False,
        pad_token_id=VOCAB - 1,
        return_dict_in_generate=True,
        output_scores=True,
        **how,
    )
    answers = [
        tuple(token for token in row[len(prompt) :].tolist() if token != VOCAB - 1)
        for row in out.sequences
    ]
    return answers, out.sequences_scores.tolist()


def empty_copy(path: str) -> Path:
    """A copy of a model's folder, to be damaged."""
    target = Path(mkdtemp(prefix="aios-model-"))
    for file in Path(path).iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    return target
