"""Carries out forward passes: rows of any sequences in, logits out. Knows no generation."""

from typing import Any

import torch

from aios.cores.torch.attention import Attending, Scratch
from aios.cores.torch.plan import Rows, Rules, passes, plan
from aios.cores.torch.pool import Pool


class Forward:
    """A model over a pool, under rules."""

    def __init__(self, model: Any, pool: Pool, rules: Rules) -> None:
        self.pool = pool
        self.rules = rules
        self._body = model.base_model
        self._head = model.get_output_embeddings()
        self._scratch = Scratch()

    @torch.inference_mode()
    def run(self, work: Rows) -> torch.Tensor:
        """Logits in fp32, one row for each wanted row of `work`. KV is written on the way."""
        found = [self._pass(part) for part in passes(work, self.rules)]
        return found[0] if len(found) == 1 else torch.cat(found)

    def _pass(self, work: Rows) -> torch.Tensor:
        now = plan(work, self.pool, self.rules)
        hidden = self._body(
            input_ids=now.tokens,
            position_ids=now.positions,
            use_cache=False,
            attending=Attending(plan=now, pool=self.pool, rules=self.rules, scratch=self._scratch),
        ).last_hidden_state[0]
        logits: torch.Tensor = self._head(hidden.index_select(0, now.keep))
        return logits[: now.kept].float()
