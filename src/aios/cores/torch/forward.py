"""Carries out forward passes: rows of any sequences in, logits out. Knows no generation."""

from typing import Any, Protocol

import torch

from aios.cores.torch.attention import Attending, Scratch, attending
from aios.cores.torch.device import kernels
from aios.cores.torch.plan import Rows, Rules, passes, plan
from aios.cores.torch.pool import Pool
from aios.errors import CoreFailed


class Network(Protocol):
    """A model's weights and the way to compute one pass with them."""

    def __call__(self, now: Attending) -> torch.Tensor:
        """Logits of the rows that the plan keeps. KV is written on the way."""
        ...


class Hosted:
    """A model of transformers, computed by its own code around the pool's attention."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def __call__(self, now: Attending) -> torch.Tensor:
        with attending(now):
            # The whole model, not body and head: some families scale or cap in between or after.
            logits: torch.Tensor = self.model(
                input_ids=now.plan.tokens,
                position_ids=now.plan.positions,
                use_cache=False,
                logits_to_keep=now.plan.keep,
            ).logits[0]
        return logits


class Forward:
    """A network over a pool, under rules."""

    def __init__(self, network: Network, pool: Pool, rules: Rules) -> None:
        self.pool = pool
        self.rules = rules
        self._network = network
        self._scratch = Scratch()
        self._kernels = kernels(pool.kv.device)

    @torch.inference_mode()
    def run(self, work: Rows) -> torch.Tensor:
        """Logits in fp32, one row for each wanted row of `work`. KV is written on the way.

        Raises `CoreFailed` where the device has no memory for it; it may be run again then.
        """
        try:
            found = [self._pass(part) for part in passes(work, self.rules)]
            return found[0] if len(found) == 1 else torch.cat(found)
        except torch.OutOfMemoryError as problem:
            self._scratch = Scratch()
            reason = str(problem).split("\n", 1)[0][:200]
        raise CoreFailed(f"no memory on {self.pool.kv.device} for one pass: {reason}")

    def _pass(self, work: Rows) -> torch.Tensor:
        now = plan(work, self.pool, self.rules)
        told = Attending(plan=now, pool=self.pool, rules=self.rules, scratch=self._scratch)
        with self._kernels():
            return self._network(told)[: now.kept].float()
