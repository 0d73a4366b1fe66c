"""The machine that a scripted core plays, and what may go wrong with it. Settings, no behaviour."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """The machine that is played. `answer_tokens` are the lengths of answers nobody chose."""

    model: str = "scripted"
    lanes: int = 8
    kv_tokens: int = 8_192
    context_tokens: int = 4_096
    block_tokens: int = 16
    step_s: float = 0.02  # a step in which something decodes
    step_tokens: int = 1  # tokens that each branch gains in it
    prefill_per_s: float = 5_000.0  # prompt tokens; adds to the step's time
    prefill_chunk: int = 256  # most prompt tokens in one step, over all generations
    answer_tokens: tuple[int, int] = (8, 64)
    deltas: bool = True
    fingerprint: str = "scripted-1"
    embedding_width: int = 0


INSTANT = Script(
    lanes=64,
    kv_tokens=1 << 20,
    step_s=0.0,
    step_tokens=64,
    prefill_per_s=math.inf,
    prefill_chunk=1 << 30,
    deltas=False,
)
"""No latency and the fewest events: for measuring whatever is around a core."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Chances, from 0 to 1, of what may go wrong."""

    refuse: float = 0.0  # of each call to `prepare`
    fail: float = 0.0  # of each step: one generation fails
    suspend: float = 0.0  # of each step: one generation is taken off unasked
    damage: float = 0.0  # of each snapshot written
    slow: float = 0.0  # of each step, to take `slow_s` longer
    slow_s: float = 1.0
    hang: float = 0.0  # of each step, to take `hang_s` longer
    hang_s: float = 60.0
    crash: float = 0.0  # of each step
    restart_s: float = 2.0


NO_FAULTS = Faults()
