"""Carries out forward passes: rows of any sequences in, logits out. Knows no generation."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch

from aios.cores.torch.attention import Attending, Scratch, attending
from aios.cores.torch.device import kernels
from aios.cores.torch.plan import Rows, Rules, Span, passes, plan
from aios.cores.torch.pool import Pool
from aios.errors import CoreFailed


class Network(Protocol):
    """A model's weights and the way to compute one pass with them."""

    def __call__(self, now: Attending) -> torch.Tensor:
        """Logits of the rows that the plan keeps. KV is written on the way."""
        ...

    @property
    def width(self) -> int:
        """Numbers in a hidden state; 0 where the model has none to show before its head."""
        ...

    def states(self, now: Attending) -> torch.Tensor:
        """The last hidden states of all rows, as the head reads them. KV is written too."""
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

    @property
    def width(self) -> int:
        head = self.model.get_output_embeddings()
        has_body = self.model.base_model is not self.model
        return int(head.weight.shape[1]) if has_body and head is not None else 0

    def states(self, now: Attending) -> torch.Tensor:
        with attending(now):
            states: torch.Tensor = self.model.base_model(
                input_ids=now.plan.tokens, position_ids=now.plan.positions, use_cache=False
            ).last_hidden_state[0]
        return states


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
        return self._through(work, self._logits)

    @torch.inference_mode()
    def states(self, span: Span) -> torch.Tensor:
        """The last hidden states in fp32, one row for each token of `span`. Raises as `run`."""
        nobody = np.zeros(0, dtype=np.int64)
        work = Rows(
            rows=nobody, tokens=nobody, positions=nobody, wanted=nobody.astype(np.bool_),
            spans=(span,),
        )  # fmt: skip
        return self._through(work, self._states)

    def _through(self, work: Rows, take: Callable[[Attending, Rows], torch.Tensor]) -> torch.Tensor:
        try:
            found = [self._pass(part, take) for part in passes(work, self.rules)]
            return found[0] if len(found) == 1 else torch.cat(found)
        except torch.OutOfMemoryError as problem:
            self._scratch = Scratch()
            reason = str(problem).split("\n", 1)[0][:200]
        raise CoreFailed(f"no memory on {self.pool.kv.device} for one pass: {reason}")

    def _pass(self, work: Rows, take: Callable[[Attending, Rows], torch.Tensor]) -> torch.Tensor:
        now = plan(work, self.pool, self.rules)
        told = Attending(plan=now, pool=self.pool, rules=self.rules, scratch=self._scratch)
        with self._kernels():
            return take(told, work).float()

    def _logits(self, now: Attending, work: Rows) -> torch.Tensor:
        return self._network(now)[: now.plan.kept]

    def _states(self, now: Attending, work: Rows) -> torch.Tensor:
        """Without the rows that are padding."""
        states = self._network.states(now)
        places = zip(now.plan.chunks, work.spans, strict=True)
        return torch.cat([states[one.begin :][: len(span.tokens)] for one, span in places])
