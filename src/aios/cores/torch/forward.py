"""Carries out forward passes: rows of any sequences in, logits out. Knows no generation."""

from typing import Any

import torch

from aios.cores.torch.attention import Attending, Scratch, attending
from aios.cores.torch.plan import Rows, Rules, passes, plan
from aios.cores.torch.pool import Pool


class Forward:
    """A model over a pool, under rules."""

    def __init__(self, model: Any, pool: Pool, rules: Rules) -> None:
        self.pool = pool
        self.rules = rules
        self._model = model
        self._scratch = Scratch()

    @torch.inference_mode()
    def run(self, work: Rows) -> torch.Tensor:
        """Logits in fp32, one row for each wanted row of `work`. KV is written on the way."""
        found = [self._pass(part) for part in passes(work, self.rules)]
        return found[0] if len(found) == 1 else torch.cat(found)

    def _pass(self, work: Rows) -> torch.Tensor:
        now = plan(work, self.pool, self.rules)
        told = Attending(plan=now, pool=self.pool, rules=self.rules, scratch=self._scratch)
        with attending(told):
            # The whole model, not body and head: some families scale or cap in between or after.
            logits: torch.Tensor = self._model(
                input_ids=now.tokens,
                position_ids=now.positions,
                use_cache=False,
                logits_to_keep=now.keep,
            ).logits[0]
        return logits[: now.kept].float()
