"""Any sentence-embedding model in a local folder, by `transformers`. Never looks at a network.

Pooling is what the folder's own sentence-transformers settings say: the mean over tokens, or the
first token; without settings, the mean. torch and transformers are imported when a model is made.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aios.errors import CoreFailed, NotFound
from aios.retrieval.base import Vectors

TOKENS_MAX = 256
BATCH = 16
_POOLING = Path("1_Pooling/config.json")


class SentenceEmbedder:
    """An encoder with its tokenizer and pooling."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "config.json").is_file():
            raise NotFound(f"no model in {folder}; expected its config.json, weights and tokenizer")
        auto = _transformers()
        self._name = f"sentence:{folder.name}"
        self._takes_first = _takes_first(folder)
        try:
            self._tokenizer: Any = auto.AutoTokenizer.from_pretrained(folder, local_files_only=True)
            self._model: Any = auto.AutoModel.from_pretrained(folder, local_files_only=True).eval()
        except (OSError, ValueError, KeyError) as error:
            raise CoreFailed(
                f"the embedding model in {folder} cannot be loaded: {error}"
            ) from error
        self._tokens_max = min(TOKENS_MAX, self._tokenizer.model_max_length)

    @property
    def name(self) -> str:
        return self._name

    @property
    def dimensions(self) -> int:
        return int(self._model.config.hidden_size)

    def embed(self, texts: Sequence[str]) -> Vectors:
        parts = [self._batch(texts[at : at + BATCH]) for at in range(0, len(texts), BATCH)]
        return np.concatenate(parts) if parts else np.zeros((0, self.dimensions), np.float32)

    def _batch(self, texts: Sequence[str]) -> Vectors:
        import torch

        tokens = self._tokenizer(
            list(texts), padding=True, truncation=True, max_length=self._tokens_max,
            return_tensors="pt",
        )  # fmt: skip
        with torch.inference_mode():
            hidden = self._model(**tokens).last_hidden_state.float()
        if self._takes_first:
            pooled = hidden[:, 0]
        else:
            real = tokens["attention_mask"].unsqueeze(-1).float()
            pooled = (hidden * real).sum(1) / real.sum(1).clamp(min=1)
        found: Vectors = torch.nn.functional.normalize(pooled, dim=1).numpy()
        return found


def _transformers() -> Any:
    try:
        import torch  # noqa: F401 - transformers works without it, but has no models then
        import transformers
    except ImportError as error:
        raise CoreFailed(
            "a sentence-embedding model needs torch and transformers: install aios-kernel[embed]"
        ) from error
    return transformers


def _takes_first(folder: Path) -> bool:
    path = folder / _POOLING
    if not path.is_file():
        return False
    settings = json.loads(path.read_bytes())
    if settings.get("pooling_mode_cls_token"):
        return True
    if settings.get("pooling_mode_mean_tokens"):
        return False
    raise CoreFailed(f"{path} asks for a pooling that is neither mean nor first token")
