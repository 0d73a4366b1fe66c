"""Proves at the start, for this model on this machine, that logits do not depend on company.

One sequence is computed alone, and again in company: as chunks beside others' decode rows, decoded
among others and beside others' chunks, in other blocks, after its KV was copied out and in. Knows
no generation. What it gives up: lengths and companies that it does not try.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from aios.cores.base import Exactness
from aios.cores.torch.checkpoint import copy_in, copy_out
from aios.cores.torch.forward import Forward
from aios.cores.torch.plan import Rows, Span
from aios.cores.torch.settings import BLOCK_TOKENS

SUBJECT_TOKENS = 70  # more than a chunk and no multiple of anything
OTHERS_TOKENS = (33, 5)
LATE_TOKENS = 20
STEPS = 6
SUBJECT = 1
CROWD_MAX = 24


def measured_exactness(forward: Forward, vocab_size: int) -> Exactness:
    """How equal the two runs are."""
    if not forward.rules.exact:
        return Exactness.BEST_EFFORT
    trial = _Trial(forward, vocab_size)
    alone, together = trial.alone(), trial.in_company()
    if all(torch.equal(one, other) for one, other in zip(alone, together, strict=True)):
        return Exactness.BITWISE
    same = (one.argmax() == other.argmax() for one, other in zip(alone, together, strict=True))
    return Exactness.TOKEN if all(same) else Exactness.BEST_EFFORT


@dataclass(slots=True)
class _Sequence:
    row: int
    tokens: list[int]
    is_subject: bool = False
    computed: int = 0


class _Trial:
    def __init__(self, forward: Forward, vocab_size: int) -> None:
        self._forward = forward
        self._pool = forward.pool
        self._vocab = vocab_size
        longest = self._pool.tables.shape[1] * BLOCK_TOKENS - STEPS - 1
        self._subject_tokens = min(SUBJECT_TOKENS, longest)
        self._open: list[int] = []

    def alone(self) -> list[torch.Tensor]:
        """Logits of the subject after its prompt and after each step."""
        subject = self._sequence(self._subject_tokens, salt=SUBJECT)
        seen = [self._pass([], [subject])]
        seen += [self._pass([subject], []) for _ in range(STEPS)]
        self._close()
        return seen

    def in_company(self) -> list[torch.Tensor]:
        """The same of the same subject, disturbed in every way there is."""
        others = [self._sequence(tokens, salt=2 + i) for i, tokens in enumerate(OTHERS_TOKENS)]
        self._pass([], others)
        subject = self._sequence(self._subject_tokens, salt=SUBJECT)
        seen = [self._pass(others, [subject])]
        others += self._forks(others[-1])
        late = self._sequence(LATE_TOKENS, salt=9)
        seen.append(self._pass([subject, *others], []))
        seen.append(self._pass([subject, *others[:2]], [late]))
        self._move(subject)
        seen += [
            self._pass([subject, late, *others[: 1 + 5 * size]], []) for size in range(STEPS - 2)
        ]
        self._close()
        return seen

    def _sequence(self, tokens: int, salt: int) -> _Sequence:
        row = self._pool.open()
        self._open.append(row)
        ids = [(salt * 7919 + place * 104729) % self._vocab for place in range(tokens)]
        return _Sequence(row, ids, is_subject=salt == SUBJECT)

    def _forks(self, parent: _Sequence) -> list[_Sequence]:
        spare = self._pool.room - self._pool.missing(0, LATE_TOKENS) - 16
        twins = []
        for _ in range(max(0, min(CROWD_MAX, spare))):
            row = self._pool.fork(parent.row)
            self._open.append(row)
            twins.append(_Sequence(row, list(parent.tokens), computed=parent.computed))
        return twins

    def _pass(self, steps: Sequence[_Sequence], starts: Sequence[_Sequence]) -> torch.Tensor:
        """One pass, after which everybody has the token it likes best; the subject's logits."""
        positions = [one.computed for one in steps]
        self._pool.make_ready([one.row for one in steps], positions)
        for one in starts:
            self._pool.grow(one.row, len(one.tokens))
        logits = self._forward.run(
            Rows(
                rows=np.array([one.row for one in steps], dtype=np.int64),
                tokens=np.array([one.tokens[-1] for one in steps], dtype=np.int64),
                positions=np.array(positions, dtype=np.int64),
                wanted=np.ones(len(steps), dtype=np.bool_),
                spans=[
                    Span(row=one.row, start=0, tokens=one.tokens, wanted=True) for one in starts
                ],
            )
        )
        chosen: list[int] = logits.argmax(dim=1).tolist()
        for one, token in zip((*steps, *starts), chosen, strict=True):
            one.computed = len(one.tokens)
            one.tokens.append(token)
        subject = [one.is_subject for one in (*steps, *starts)]
        return logits[subject.index(True) if any(subject) else 0].clone()

    def _move(self, one: _Sequence) -> None:
        """Out of the pool, and into other blocks."""
        old = self._pool.blocks(one.row)
        memory = memoryview(bytearray(len(old) * self._pool.shape.block_bytes))
        copy_out(self._pool, old, memory)
        new = self._pool.take(len(old))
        copy_in(self._pool, new, np.ones(len(new), dtype=np.bool_), memory)
        self._open.remove(one.row)
        self._pool.close(one.row)
        one.row = self._pool.open()
        self._open.append(one.row)
        self._pool.append(one.row, new)
        self._pool.give(new)

    def _close(self) -> None:
        for row in self._open:
            self._pool.close(row)
        self._open.clear()
