"""Loads a model and its tokenizer, refuses what the engine would compute wrongly, takes its print.

Knows transformers' names and errors; the rest of the engine knows neither.
"""

import os
from dataclasses import dataclass
from typing import Any

import torch
import transformers
import xxhash
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from aios.cores.torch import attention
from aios.cores.torch.pool import KvShape
from aios.cores.torch.settings import Settings
from aios.errors import AiosError, CoreFailed, Damaged, InvalidArgument

DENSE = ("llama", "mistral", "qwen2", "qwen3")
EXPERTS = ("mixtral", "qwen3_moe")  # how many rows an expert sees depends on the company
ROPES = ("default", "linear", "llama3", "yarn")  # cos and sin of a position that others do not move


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A model ready to run."""

    model: Any
    tokenizer: Any
    shape: KvShape
    vocab_size: int  # rows of logits, which may be more than the tokenizer has tokens
    context_tokens: int
    eos: frozenset[int]
    fingerprint: str


def load(settings: Settings) -> Loaded:
    """The model of `settings`. Raises `InvalidArgument`, `Damaged` or `CoreFailed`."""
    torch.set_num_threads(settings.threads)
    attention.register()
    transformers.utils.logging.disable_progress_bar()
    config = _config(settings)
    _refuse(config, settings)
    model = _model(settings, config)
    shape = KvShape(
        layers=config.num_hidden_layers,
        kv_heads=config.num_key_value_heads,
        head_dim=getattr(config, "head_dim", None)
        or config.hidden_size // config.num_attention_heads,
        dtype=model.dtype,
    )
    return Loaded(
        model=model,
        tokenizer=_tokenizer(settings),
        shape=shape,
        vocab_size=model.get_output_embeddings().weight.shape[0],
        context_tokens=config.max_position_embeddings,
        eos=_eos(model.generation_config.eos_token_id),
        fingerprint=_fingerprint(model, settings),
    )


def _config(settings: Settings) -> Any:
    try:
        return AutoConfig.from_pretrained(settings.model)
    except (OSError, ValueError, KeyError) as problem:
        raise InvalidArgument(
            f"expected a folder or hub id with a model of transformers, got "
            f"{settings.model!r}: {_first_line(problem)}"
        ) from None


def _refuse(config: Any, settings: Settings) -> None:
    """What the attention function or the rules of exactness do not cover."""
    kinds = DENSE if settings.exact else (*DENSE, *EXPERTS)
    if config.model_type not in kinds:
        mode = "exact" if settings.exact else "fast"
        raise InvalidArgument(
            f"expected a model of type {', '.join(kinds)} in {mode} mode, got {config.model_type}"
        )
    rope = (getattr(config, "rope_parameters", None) or {}).get("rope_type", "default")
    if rope not in ROPES:
        raise InvalidArgument(f"expected rope of type {', '.join(ROPES)}, got {rope}")
    layers = set(getattr(config, "layer_types", None) or ["full_attention"])
    if layers != {"full_attention"} or getattr(config, "sliding_window", None) is not None:
        raise InvalidArgument(
            f"expected full attention in every layer, got {sorted(layers)} with "
            f"sliding_window {getattr(config, 'sliding_window', None)}"
        )


def _model(settings: Settings, config: Any) -> Any:
    try:
        model, info = AutoModelForCausalLM.from_pretrained(
            settings.model,
            config=config,
            attn_implementation=attention.NAME,
            dtype=getattr(torch, settings.dtype),
            output_loading_info=True,
        )
    except (SafetensorError, EOFError) as problem:
        raise Damaged(f"weights of {settings.model!r} are damaged: {problem}") from None
    except (OSError, RuntimeError, ValueError) as problem:
        raise _unreadable(settings, problem) from None
    # transformers fills what a file lacks with random numbers and only warns.
    lacking = sorted(info["missing_keys"]) + sorted(map(str, info["mismatched_keys"]))
    if lacking:
        raise Damaged(f"weights of {settings.model!r} lack {', '.join(lacking[:4])}")
    try:
        return model.to(settings.device).eval()
    except (RuntimeError, AssertionError) as problem:
        raise CoreFailed(f"cannot use device {settings.device!r}: {problem}") from None


def _unreadable(settings: Settings, problem: Exception) -> AiosError:
    if isinstance(problem, OSError) and not problem.errno:
        return InvalidArgument(
            f"expected weights of a model in {settings.model!r}: {_first_line(problem)}"
        )
    return Damaged(f"weights of {settings.model!r} cannot be read: {_first_line(problem)}")


def _tokenizer(settings: Settings) -> Any:
    try:
        return AutoTokenizer.from_pretrained(settings.model)
    except Exception as problem:  # Rust errors of the tokenizer come as bare Exception.
        raise InvalidArgument(
            f"expected a tokenizer in {settings.model!r}: {_first_line(problem)}"
        ) from None


def _eos(given: int | list[int] | None) -> frozenset[int]:
    return frozenset([given] if isinstance(given, int) else given or ())


def _fingerprint(model: Any, settings: Settings) -> str:
    """Everything that KV and logits depend on, as one hash."""
    digest = xxhash.xxh3_128()
    for name, weights in sorted(model.state_dict().items()):
        digest.update(name.encode())
        raw = weights.detach().contiguous().view(-1).view(torch.uint8).cpu()
        digest.update(memoryview(raw.numpy()))
    facts = (
        settings.dtype, settings.exact, settings.threads, settings.chunk_tokens,
        torch.__version__, transformers.__version__, _processor(settings.device),
        repr(model.config.to_dict().get("rope_parameters")),
    )  # fmt: skip
    digest.update(repr(facts).encode())
    return str(digest.hexdigest())


def _processor(device: str) -> str:
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{os.uname().machine} {torch.backends.cpu.get_cpu_capability()}"


def _first_line(problem: Exception) -> str:
    return str(problem).strip().split("\n", 1)[0][:200]
