"""Loading: unknown, unreadable and damaged models are told apart, and unsupported ones refused."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from aios.cores.torch.load import load
from aios.errors import AiosError, Damaged, InvalidArgument
from tests.cores.torch.desk import settings
from tests.cores.torch.small_models import END, VOCAB, empty_copy, folder


def copy_with(**changes: Any) -> str:
    """A copy of the small model with another configuration."""
    path = empty_copy(folder())
    config = json.loads((path / "config.json").read_text()) | changes
    (path / "config.json").write_text(json.dumps(config))
    return str(path)


def test_a_model_tells_its_shape_and_end_tokens() -> None:
    loaded = load(settings(folder()))

    assert loaded.vocab_size == VOCAB
    assert loaded.eos == frozenset([END])
    assert loaded.shape.block_bytes == 2 * 4 * 2 * 32 * 4 * 16


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"model_type": "t5"}, "decoder-only"),
        (
            {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4}},
            "dynamic",
        ),
        ({"max_position_embeddings": 8}, "8 tokens at most"),
    ],
)
def test_what_the_engine_cannot_compute_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidArgument, match=reason):
        load(settings(copy_with(**changes)))


@pytest.mark.parametrize(
    ("family", "changes", "context_tokens"),
    [
        ("mistral", {"sliding_window": 96}, 96),
        ("mistral", {"sliding_window": 4096}, 2048),
        ("gemma3_text", {"sliding_window": 64}, 64),  # in some layers only
        ("qwen2", {"sliding_window": 64, "use_sliding_window": False}, 2048),
    ],
)
def test_the_context_ends_where_a_window_would_begin_to_hide(
    family: str, changes: dict[str, Any], context_tokens: int
) -> None:
    assert load(settings(folder(family, **changes))).context_tokens == context_tokens


def test_the_context_ends_where_longrope_would_change_for_the_whole_batch() -> None:
    path = copy_with(
        rope_parameters={
            "rope_type": "longrope",
            "rope_theta": 1e4,
            "short_factor": [1.0] * 16,
            "long_factor": [3.0] * 16,
            "original_max_position_embeddings": 256,
        }
    )

    assert load(settings(path)).context_tokens == 256


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="expected a folder or hub id"):
        load(settings(str(tmp_path)))


def test_a_model_without_weights_is_refused() -> None:
    path = empty_copy(folder())
    (path / "model.safetensors").unlink()

    with pytest.raises(InvalidArgument, match="expected weights"):
        load(settings(str(path)))


def test_a_model_without_a_tokenizer_is_refused() -> None:
    path = empty_copy(folder())
    for file in path.glob("tokenizer*"):
        file.unlink()

    with pytest.raises(InvalidArgument, match="expected a tokenizer"):
        load(settings(str(path)))


@pytest.mark.parametrize("keep", [0, 4, 1000, 100_000])
def test_truncated_weights_are_damaged(keep: int) -> None:
    path = empty_copy(folder()) / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])

    with pytest.raises(AiosError) as refusal:
        load(settings(str(path.parent)))

    assert isinstance(refusal.value, Damaged)


def test_weights_that_lack_a_tensor_are_damaged() -> None:
    path = empty_copy(folder()) / "model.safetensors"
    tensors = load_file(path)
    del tensors["model.layers.2.mlp.up_proj.weight"]
    save_file(tensors, path, metadata={"format": "pt"})

    with pytest.raises(Damaged, match="up_proj"):
        load(settings(str(path.parent)))


def test_the_fingerprint_is_of_weights_and_mode_and_not_of_the_place() -> None:
    other = empty_copy(folder())
    same = load(settings(str(other))).fingerprint
    tensors = load_file(other / "model.safetensors")
    tensors["model.norm.weight"][3] += 1e-3
    save_file(tensors, other / "model.safetensors", metadata={"format": "pt"})

    prints = [
        load(settings(folder())).fingerprint,
        load(settings(str(other))).fingerprint,
        load(settings(folder(), exact=False)).fingerprint,
        load(settings(folder(), dtype="bfloat16")).fingerprint,
        load(settings(folder("qwen2"))).fingerprint,
    ]
    assert same == prints[0]
    assert len(set(prints)) == len(prints)
    shutil.rmtree(other)
