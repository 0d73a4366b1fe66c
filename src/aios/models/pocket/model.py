"""pocket's shape, its loss, its optimisers and its files. Knows nothing of tasks or schedules."""

from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM

from aios.models.pocket.chat import END, PAD
from aios.models.pocket.data import Batch

CONTEXT = 2048


def new_model(tokenizer: Tokenizer) -> LlamaForCausalLM:
    """A fresh model with random weights."""
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=5,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.token_to_id(END),
        pad_token_id=tokenizer.token_to_id(PAD),
        attn_implementation="sdpa",
    )
    return LlamaForCausalLM(config)


def loss_of(model: LlamaForCausalLM, batch: Batch) -> torch.Tensor:
    """The weighted mean cross entropy of the next token."""
    logits = model(input_ids=batch.ids, use_cache=False).logits[:, :-1]
    targets, weights = batch.ids[:, 1:], batch.weights[:, 1:].flatten()
    losses = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    return (losses * weights).sum() / weights.sum()


@torch.no_grad()
def right_rows(model: LlamaForCausalLM, batch: Batch) -> int:
    """How many rows have every token of the assistant as the model's first choice.

    Equal to exact-match success of greedy decoding with the right tool results fed in.
    """
    choice = model(input_ids=batch.ids, use_cache=False).logits[:, :-1].argmax(-1)
    wrong = (choice != batch.ids[:, 1:]) & (batch.weights[:, 1:] == 1.0)
    return int((~wrong.any(dim=1)).sum())


def optimisers(model: LlamaForCausalLM, rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside, AdamW for the embedding and the norms."""
    inside: list[torch.nn.Parameter] = []
    outside: list[torch.nn.Parameter] = []
    for name, parameter in model.named_parameters():
        is_matrix = parameter.ndim == 2 and "embed" not in name and "lm_head" not in name
        (inside if is_matrix else outside).append(parameter)
    return [
        torch.optim.Muon(inside, lr=rate, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(outside, lr=rate, weight_decay=0.0, betas=(0.9, 0.98)),
    ]


def save_model(model: LlamaForCausalLM, folder: Path) -> None:
    """Write the weights as bf16, beside their configuration."""
    half = LlamaForCausalLM(model.config).to(torch.bfloat16)
    half.load_state_dict(model.state_dict())
    half.generation_config.do_sample = False
    half.generation_config.eos_token_id = model.config.eos_token_id
    half.generation_config.pad_token_id = model.config.pad_token_id
    half.save_pretrained(folder)
