"""Loads a model and its tokenizer, has it proved that the engine computes it, takes its print.

Knows transformers' names and errors; the rest of the engine knows neither. Knows no family by name.
"""

from dataclasses import dataclass
from typing import Any

import torch
import transformers
import xxhash
from safetensors import SafetensorError
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
)

from aios.cores.torch import attention
from aios.cores.torch.device import Device, processor, resolve, use
from aios.cores.torch.forward import Hosted, Network
from aios.cores.torch.lean import Lean, can_serve
from aios.cores.torch.plan import rules_for
from aios.cores.torch.pool import KvShape
from aios.cores.torch.proof import Proof, trace
from aios.cores.torch.settings import Settings
from aios.errors import AiosError, CoreFailed, Damaged, InvalidArgument


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A model ready to run."""

    network: Network
    tokenizer: Any
    shape: KvShape
    vocab_size: int  # rows of logits, which may be more than the tokenizer has tokens
    context_tokens: int
    eos: frozenset[int]
    device: Device
    fingerprint: str


def load(settings: Settings) -> Loaded:
    """The model of `settings`. Raises `InvalidArgument`, `Damaged` or `CoreFailed`."""
    device = resolve(settings.device)
    use(device, settings.threads)
    attention.register()
    transformers.utils.logging.disable_progress_bar()
    config = _config(settings)
    _refuse(config)
    model = _placed(_model(settings, config), device)
    traced = trace(model)
    # As long as the context is no longer than the window, windowed attention is full attention.
    context_tokens = min([_positions(config), *traced.windows])
    rules = rules_for(exact=settings.exact, device=device.place, chunk_tokens=settings.chunk_tokens)
    fingerprint = _fingerprint(model, settings, device)
    proof = Proof(model, traced, context_tokens)
    proof.check(Hosted(model), rules)
    network: Network = Hosted(model)
    shape = traced.shape(model.dtype)
    if can_serve(model):
        network = Lean(model, context_tokens)
        proof.check(network, rules)
    return Loaded(
        network=network,
        tokenizer=_tokenizer(settings),
        shape=shape,
        vocab_size=traced.vocab_size,
        context_tokens=context_tokens,
        eos=_eos(model.generation_config.eos_token_id),
        device=device,
        fingerprint=fingerprint,
    )


def _config(settings: Settings) -> Any:
    try:
        return AutoConfig.from_pretrained(settings.model)
    except (OSError, ValueError, KeyError) as problem:
        raise InvalidArgument(
            f"expected a folder or hub id with a model of transformers, got "
            f"{settings.model!r}: {_first_line(problem)}"
        ) from None


def _refuse(config: Any) -> None:
    """What is known from the configuration alone, before any weights are read."""
    kind = MODEL_FOR_CAUSAL_LM_MAPPING.get(type(config), None)
    if kind is None:
        raise InvalidArgument(f"expected a decoder-only language model, got {config.model_type}")
    if not kind._can_set_attn_implementation():
        raise InvalidArgument(
            f"expected a model that calls its attention through transformers' attention interface, "
            f"{config.model_type} does not"
        )
    # Its frequencies follow the longest sequence of a batch, so company would move a position.
    moved = [rope for rope in _ropes(config) if "dynamic" in rope.get("rope_type", "")]
    if moved:
        raise InvalidArgument(
            f"expected rope that others in the batch do not move, {config.model_type} has "
            f"{moved[0]['rope_type']}"
        )


def _positions(config: Any) -> int:
    """The longest context in which a position means the same in every batch."""
    longest = getattr(config.get_text_config(), "max_position_embeddings", None)
    if not isinstance(longest, int):
        raise InvalidArgument(
            f"expected a model that says its max_position_embeddings, {config.model_type} does not"
        )
    # Up to here longrope has one set of frequencies; beyond, it has another for the whole batch.
    short = [
        int(rope["original_max_position_embeddings"])
        for rope in _ropes(config)
        if rope.get("rope_type") == "longrope"
    ]
    return min([longest, *short])


def _ropes(config: Any) -> list[dict[str, Any]]:
    """Parameters of the rotary embedding; some families have a set for each type of layer."""
    given = getattr(config.get_text_config(), "rope_parameters", None) or {}
    by_layer = [one for one in given.values() if isinstance(one, dict)]
    return by_layer or [given]


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
    return model.eval()


def _placed(model: Any, device: Device) -> Any:
    try:
        return model.to(device.place)
    except torch.OutOfMemoryError as problem:
        raise CoreFailed(
            f"expected room for {model.get_memory_footprint()} bytes of weights on {device.name}: "
            f"{_first_line(problem)}; choose a smaller model or device 'cpu'"
        ) from None


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


def _fingerprint(model: Any, settings: Settings, device: Device) -> str:
    """Everything that KV and logits depend on, as one hash."""
    digest = xxhash.xxh3_128()
    for name, weights in sorted(model.state_dict().items()):
        digest.update(name.encode())
        raw = weights.detach().contiguous().view(-1).view(torch.uint8).cpu()
        digest.update(memoryview(raw.numpy()))
    facts = (
        settings.dtype, settings.exact, settings.threads, settings.chunk_tokens,
        torch.__version__, transformers.__version__, processor(device),
        repr(model.config.to_dict().get("rope_parameters")), can_serve(model),
    )  # fmt: skip
    digest.update(repr(facts).encode())
    return str(digest.hexdigest())


def _first_line(problem: Exception) -> str:
    return str(problem).strip().split("\n", 1)[0][:200]
