"""A sentence-embedding model by its folder: a tiny BERT with random weights, made here."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizerFast

from aios.errors import CoreFailed, NotFound
from aios.retrieval.sentence import SentenceEmbedder

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "car", "river", "sings", "on", "a")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("bert") / "tiny"
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=64,
    )  # fmt: skip
    BertModel(config).save_pretrained(path)
    vocabulary = path / "vocab.txt"
    vocabulary.write_text("\n".join(WORDS))
    BertTokenizerFast(vocab_file=str(vocabulary), model_max_length=64).save_pretrained(path)
    return path


def _pooled_by(folder: Path, mode: str) -> None:
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling/config.json").write_text(json.dumps({mode: True}))


def _expected(folder: Path, text: str, *, takes_first: bool) -> np.ndarray:
    tokenizer = BertTokenizerFast.from_pretrained(folder)
    model = BertModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        hidden = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
    pooled = hidden[0] if takes_first else hidden.mean(0)
    return torch.nn.functional.normalize(pooled, dim=0).numpy()


@pytest.mark.parametrize(
    ("mode", "takes_first"), [("pooling_mode_mean_tokens", False), ("pooling_mode_cls_token", True)]
)
def test_pooling_is_what_the_folder_says_whoever_else_is_in_the_batch(
    folder: Path, mode: str, takes_first: bool
) -> None:
    _pooled_by(folder, mode)
    texts = ["the car sings", "a river", *["the " * number for number in range(1, 30)]]
    vectors = SentenceEmbedder(folder).embed(texts)
    assert vectors.shape == (len(texts), 16)
    for text, vector in zip(texts, vectors, strict=True):
        assert np.allclose(vector, _expected(folder, text, takes_first=takes_first), atol=1e-5)


def test_a_text_beyond_the_models_length_is_cut(folder: Path) -> None:
    _pooled_by(folder, "pooling_mode_mean_tokens")
    assert np.isfinite(SentenceEmbedder(folder).embed(["the car " * 500, ""])).all()


def test_another_pooling_is_refused(folder: Path) -> None:
    _pooled_by(folder, "pooling_mode_weightedmean_tokens")
    with pytest.raises(CoreFailed, match="neither mean nor first token"):
        SentenceEmbedder(folder)


def test_a_folder_without_a_model_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"config\.json"):
        SentenceEmbedder(tmp_path)
