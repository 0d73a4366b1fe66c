"""What every way to run an office is given alike: the work, the model, the memory, the time."""

import json
from dataclasses import dataclass
from pathlib import Path

from aios.bench.direct import BEST, Habit
from aios.bench.workload import Member, Size, office, tokens_at_once, tokens_longest
from aios.cores.torch.settings import BLOCK_TOKENS
from aios.models import pocket

KV_SHARE = 0.33  # of the KV that all would hold if nobody waited
KV_ROOMY = 1.25
_FLOAT32 = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What every way is given alike."""

    office: tuple[Member, ...]
    model: Path
    kv_tokens: int
    kv_token_bytes: int
    lanes: int
    device: str = "cpu"
    seconds: float | None = None  # the run is cut then; None lets it end by itself
    habit: Habit = BEST  # of the agents without a kernel

    @property
    def kv_bytes(self) -> int:
        return self.kv_tokens * self.kv_token_bytes

    @property
    def tasks(self) -> int:
        return sum(len(member.errands) for member in self.office)

    @property
    def streams(self) -> int:
        """Calls that may be open at once."""
        return sum(member.at_once for member in self.office)


def site_for(
    size: Size,
    seed: int,
    *,
    share: float,
    lanes: int,
    device: str = "cpu",
    seconds: float | None = None,
) -> Site:
    """An office of pocket's tasks with a share of the KV that it would like to have."""
    # Imported late: it takes a while, and who asks for help needs none of it.
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(pocket.PATH / "tokenizer.json"))

    def count(text: str) -> int:
        return len(tokenizer.encode(text).ids)

    members = office(seed, size)
    # Even the longest conversation fits, its answers' bounds and two spare blocks included.
    bounds = max(member.tokens_max for member in members)
    least = tokens_longest(members, count) + bounds + 4 * BLOCK_TOKENS
    wanted = max(int(share * tokens_at_once(members, count)), least)
    return Site(
        office=members,
        model=pocket.PATH,
        kv_tokens=-(-wanted // BLOCK_TOKENS) * BLOCK_TOKENS,
        kv_token_bytes=kv_token_bytes(pocket.PATH),
        lanes=lanes,
        device=device,
        seconds=seconds,
    )


def kv_token_bytes(model: Path) -> int:
    """Bytes of one token's keys and values in float32, by the model's own configuration."""
    config = json.loads((model / "config.json").read_text())
    heads = config["num_attention_heads"]
    head_dim = config.get("head_dim") or config["hidden_size"] // heads
    width = config.get("num_key_value_heads", heads) * head_dim
    return 2 * int(config["num_hidden_layers"]) * int(width) * _FLOAT32
