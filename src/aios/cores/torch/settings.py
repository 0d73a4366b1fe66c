"""What a torch core is told at its start. Plain data, without torch, so the kernel may hold it."""

import re
from dataclasses import dataclass
from typing import Literal

from aios.errors import InvalidArgument

BLOCK_TOKENS = 16
GRID_TOKENS = 64  # prompts are computed in chunks that begin at multiples of this
AUTO = "auto"  # CUDA where it can be used, else the CPU; the engine finds out


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`model` is a local folder or a hub id; `kv_bytes` bounds the KV of all generations."""

    model: str
    kv_bytes: int
    name: str = ""  # what the model is called; its last path part where empty
    device: str = "cpu"  # or `AUTO`, "cuda", "cuda:1", ...
    dtype: Literal["float32", "bfloat16"] = "float32"
    exact: bool = True
    lanes: int = 32
    chunk_tokens: int = GRID_TOKENS
    threads: int = 1
    prefill_tokens_per_step: int = 256

    def __post_init__(self) -> None:
        if self.dtype not in ("float32", "bfloat16"):
            raise InvalidArgument(f"expected dtype float32 or bfloat16, got {self.dtype!r}")
        if not re.fullmatch(r"auto|cpu|cuda(:\d{1,3})?", self.device):
            # Others lack the 64-bit numbers that choose tokens, or were never tried.
            raise InvalidArgument(f"expected device auto, cpu, cuda or cuda:N, got {self.device!r}")
        if self.chunk_tokens % GRID_TOKENS or not GRID_TOKENS <= self.chunk_tokens <= 512:
            raise InvalidArgument(
                f"expected chunk_tokens to be a multiple of {GRID_TOKENS} up to 512, "
                f"got {self.chunk_tokens}"
            )
        for name in ("kv_bytes", "lanes", "threads", "prefill_tokens_per_step"):
            if getattr(self, name) < 1:
                raise InvalidArgument(f"expected {name} >= 1, got {getattr(self, name)}")

    @property
    def called(self) -> str:
        """The model's name."""
        return self.name or self.model.rstrip("/").rsplit("/", 1)[-1]
